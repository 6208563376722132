// SPDX-License-Identifier: Apache-2.0

import { limits, type WorkflowAction } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import {
  child,
  complete,
  continueWith,
  given,
  lineage,
  own,
  schedule,
  timer,
} from "../../../test/actions.js";
import { inboundRecord } from "../event.js";
import { propagate } from "../propagation.js";
import { limitPropagation } from "./propagation-limit.js";

const source = { instanceId: "a", workflow: "w", propagated: undefined, appId: "shop" };
const withLineage = propagate(source, lineage, []) ?? new Uint8Array();
const events = [inboundRecord(1, { case: "workflowStarted", value: {} })];
const turnBytes = events.reduce((sum, { bytes }) => sum + bytes.length, 0);
/** Bytes of a history that may just be handed on. */
const most = limits.payloadBytes - turnBytes;

/** What fails the instance; undefined: nothing does. */
function failureOf(
  actions: readonly WorkflowAction[],
  historyBytes: number,
  propagated?: Uint8Array,
): string | undefined {
  const limited = limitPropagation({ propagated }, { historyBytes, events }, actions);
  if (limited === actions) return undefined;
  expect(limited).toHaveLength(1);
  const type = limited[0]?.workflowActionType;
  return type?.case === "completeWorkflow" ? type.value.failureDetails?.errorMessage : "none";
}

describe("limitPropagation()", () => {
  test.each<[string, WorkflowAction, string]>([
    ["an activity", given(schedule(0, "charge"), own), 'activity "charge"'],
    ["a child", given(child(0, "pay"), lineage), 'workflow "pay"'],
  ])("fails an instance that would give %s more than a payload", (_what, action, words) => {
    expect(failureOf([timer(1, 5), action], most)).toBeUndefined();
    expect(failureOf([timer(1, 5), action], most + 1)).toContain(`the history that ${words} is`);
  });

  test("counts the input, which travels with it", () => {
    const action = given(schedule(0, "charge", '"é"'), own);
    expect(failureOf([action], most - 4)).toBeUndefined();
    expect(failureOf([action], most - 3)).toContain("charge");
  });

  test("counts what the instance was given itself only where that goes on", () => {
    const { length } = withLineage;
    expect(failureOf([given(child(0, "p"), own)], most + length, withLineage)).toBeUndefined();
    expect(failureOf([given(child(0, "p"), lineage)], most + 1, withLineage)).toContain("p");
  });

  test("fails an instance whose next execution would be given too much", () => {
    expect(failureOf([continueWith(0)], most, withLineage)).toBeUndefined();
    expect(failureOf([continueWith(0)], most + 1, withLineage)).toContain("the next execution");
    expect(failureOf([continueWith(0)], most + 1)).toBeUndefined();
  });

  test("has nothing to say of what is given nothing", () => {
    const actions = [schedule(0, "charge"), child(1, "pay"), complete(2)];
    expect(failureOf(actions, 10 * most, withLineage)).toBeUndefined();
  });
});
