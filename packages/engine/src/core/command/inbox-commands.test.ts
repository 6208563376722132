// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { child, complete, versionNotAvailable } from "../../../test/actions.js";
import { PureInstance } from "../../../test/pure-instance.js";
import { nothing } from "../outcome.js";
import { purgeChildren, purgeNotice, requirePurgeable } from "./purge.js";
import { raiseEvent } from "./raise-event.js";
import { resume } from "./resume.js";
import { suspend } from "./suspend.js";

const ended = PureInstance.after([complete(0)]).state;
const running = PureInstance.after([]).state;
const stalled = PureInstance.after([versionNotAvailable(0)]).state;

describe("raiseEvent()", () => {
  test("puts the event into the inbox with its name as it was given", () => {
    const { accepted, messages } = raiseEvent(running, { name: "Paid", input: '"x"' }, 9);
    expect(accepted[0]?.event.eventType).toMatchObject({
      case: "eventRaised",
      value: { name: "Paid", input: '"x"' },
    });
    expect(messages).toEqual([]);
  });

  test("leaves out an input that was not given", () => {
    const { accepted } = raiseEvent(running, { name: "Paid", input: undefined }, 9);
    expect(accepted[0]?.event.eventType.value).not.toHaveProperty("input");
  });

  test("is dropped by an ended instance", () => {
    expect(raiseEvent(ended, { name: "Paid", input: undefined }, 9)).toBe(nothing);
  });

  test("is refused when too many events wait already", () => {
    const full = { ...running, inbox: new Array(limits.inboxEvents).fill(running.inbox[0]) };
    expect(() => raiseEvent(full, { name: "Paid", input: undefined }, 9)).toThrow(
      expect.objectContaining({ code: "RESOURCE_EXHAUSTED" }),
    );
  });

  test("is taken by a stalled instance", () => {
    expect(raiseEvent(stalled, { name: "Paid", input: undefined }, 9).accepted).toHaveLength(1);
  });
});

describe.each([
  ["suspend()", suspend, "executionSuspended"],
  ["resume()", resume, "executionResumed"],
] as const)("%s", (_, command, kind) => {
  test("puts the wish and its reason into the inbox", () => {
    expect(command(running, "audit", 9).accepted[0]?.event.eventType).toMatchObject({
      case: kind,
      value: { input: "audit" },
    });
    expect(command(running, undefined, 9).accepted[0]?.event.eventType.value).not.toHaveProperty(
      "input",
    );
  });

  test("does nothing to an ended instance", () => {
    expect(command(ended, undefined, 9)).toBe(nothing);
  });

  test("is taken by a stalled instance", () => {
    expect(command(stalled, undefined, 9).accepted).toHaveLength(1);
  });
});

describe("requirePurgeable()", () => {
  test("allows an ended instance", () => {
    expect(() => requirePurgeable(ended)).not.toThrow();
  });

  test("refuses one that has not ended", () => {
    expect(() => requirePurgeable(running)).toThrow(
      expect.objectContaining({ code: "INSTANCE_NOT_ENDED" }),
    );
  });
});

describe("purgeChildren()", () => {
  test("orders each distinct child of the execution once, ended or not", () => {
    const asked = [child(0, "w", "c"), child(1, "w", "d"), child(2, "w", "c")];
    const { state } = PureInstance.after(asked);
    const parentExecutionId = state.executionId;
    expect(purgeChildren(state)).toEqual([
      { targetId: "c", parentExecutionId },
      { targetId: "d", parentExecutionId },
    ]);
  });
});

describe("purgeNotice()", () => {
  const parent = { instanceId: "p", executionId: "e", taskId: 4 };

  test("fails the task of a parent that waits", () => {
    const notice = purgeNotice({ ...running, parent }, 9);
    expect(notice).toMatchObject({ targetId: "p", targetExecutionId: "e" });
    expect(notice?.record.event.eventType).toMatchObject({
      case: "childWorkflowInstanceFailed",
      value: { taskScheduledId: 4, failureDetails: { errorType: "WorkflowPurged" } },
    });
  });

  test("is for nobody where the instance had ended, or had no parent", () => {
    expect(purgeNotice({ ...ended, parent }, 9)).toBeUndefined();
    expect(purgeNotice(running, 9)).toBeUndefined();
  });
});
