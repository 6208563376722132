// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { limits, type WorkflowAction, WorkflowActionSchema } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import {
  child,
  complete,
  detached,
  schedule,
  sendEvent,
  terminateOther,
  timer,
  unknownAction,
  versionNotAvailable,
} from "../../../test/actions.js";
import { actionsFault, tagsFault } from "./action-fault.js";

const longName = "é".repeat(limits.nameBytes / 2 + 1);
const name = "é".repeat(limits.nameBytes / 2);

describe("actionsFault()", () => {
  test("finds none in what can be carried out", () => {
    const actions = [
      schedule(0, name),
      child(1, name, "c"),
      detached(2, name, "d"),
      timer(3, 5),
      sendEvent(4, "other", name),
      terminateOther(0, "other"),
      versionNotAvailable(0),
      complete(0),
    ];
    expect(actionsFault(actions)).toBeUndefined();
    expect(actionsFault([schedule(-(2 ** 31), "x")])).toBeUndefined();
  });

  const tags = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, ""]));
  test.each<[string, WorkflowAction[], string]>([
    ["an unknown kind", [unknownAction(0)], "of a kind that this server does not know"],
    ["an id of more than 32 bits", [timer(2 ** 31, 5)], "no usable id"],
    ["two of one id", [schedule(5, "a"), timer(5, 9)], "two actions of one turn have the id 5"],
    ["two detached of one id", [timer(5, 9), detached(5, "a", "b")], "have the id 5"],
    ["an activity without a name", [schedule(0, "")], "a name of 0 bytes"],
    ["a child with a long name", [child(0, longName)], "a name of 258 bytes"],
    ["an event with a long name", [sendEvent(0, "a", longName)], "a name of 258 bytes"],
    ["a detached workflow without a name", [detached(0, "", "d")], "a name of 0 bytes"],
    ["a detached workflow without an id", [detached(0, "w", "")], "an instance id is needed"],
    ["a detached workflow of many tags", [detached(0, "w", "d", { tags: tags(65) })], "65 tags"],
  ])("finds %s", (_what, actions, words) => {
    expect(actionsFault(actions)).toContain(words);
  });

  test("counts no further than the limit", () => {
    const action = create(WorkflowActionSchema);
    const actions = Array.from({ length: limits.turnActions + 1 }, () => action);
    expect(actionsFault(actions)).toContain(`${limits.turnActions} are allowed`);
  });
});

describe("tagsFault()", () => {
  test.each([
    [{ "": "x" }],
    [{ ["k".repeat(limits.tagKeyBytes + 1)]: "x" }],
    [{ k: "v".repeat(limits.tagValueBytes + 1) }],
  ])("finds keys and values of a wrong length", (tags) => {
    expect(tagsFault(tags)).toContain("a tag's key has 1 to");
    expect(tagsFault({ k: "v" })).toBeUndefined();
  });
});
