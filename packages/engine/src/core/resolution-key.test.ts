// SPDX-License-Identifier: Apache-2.0

import { type HistoryEvent, type HistoryEventType, historyEvent } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { child, schedule, timer } from "../../test/actions.js";
import { PureInstance } from "../../test/pure-instance.js";
import { inboundRecord } from "./event.js";
import { isWanted, resolutionKey, resultKey } from "./resolution-key.js";

const event = (type: HistoryEventType): HistoryEvent => historyEvent(-1, 9, type);
const taskDone = (taskScheduledId: number): HistoryEvent =>
  event({ case: "taskCompleted", value: { taskScheduledId } });
const taskFailed = (taskScheduledId: number): HistoryEvent =>
  event({ case: "taskFailed", value: { taskScheduledId } });
const fired = (timerId: number): HistoryEvent => event({ case: "timerFired", value: { timerId } });
const childDone = (taskScheduledId: number): HistoryEvent =>
  event({ case: "childWorkflowInstanceCompleted", value: { taskScheduledId } });
const childFailed = (taskScheduledId: number): HistoryEvent =>
  event({ case: "childWorkflowInstanceFailed", value: { taskScheduledId } });
const raised = event({ case: "eventRaised", value: { name: "a" } });

describe("resolutionKey()", () => {
  test("is one for success and failure of the same thing", () => {
    expect(resolutionKey(taskDone(3))).toBe(resultKey("task", 3));
    expect(resolutionKey(taskFailed(3))).toBe(resultKey("task", 3));
    expect(resolutionKey(childDone(3))).toBe(resultKey("child", 3));
    expect(resolutionKey(childFailed(3))).toBe(resultKey("child", 3));
    expect(resolutionKey(fired(3))).toBe(resultKey("timer", 3));
  });

  test("is another one for each kind and number", () => {
    const ids = [-2, -1, 0, 1, 2, 2 ** 31 - 1];
    const keys = ids.flatMap((id) => [
      resultKey("task", id),
      resultKey("timer", id),
      resultKey("child", id),
    ]);
    expect(new Set(keys).size).toBe(3 * ids.length);
  });

  test("is none for what resolves nothing", () => {
    expect(resolutionKey(raised)).toBeUndefined();
  });
});

describe("isWanted()", () => {
  const { state } = PureInstance.after([schedule(0, "a"), timer(1, 5000), child(2, "b")]);

  test("takes results of what is open", () => {
    for (const wanted of [taskDone(0), taskFailed(0), fired(1), childDone(2), childFailed(2)]) {
      expect(isWanted(state, wanted)).toBe(true);
    }
  });

  test("drops results of what was never asked for, or is of another kind", () => {
    for (const unknown of [taskDone(1), taskFailed(2), fired(0), childDone(0), childFailed(9)]) {
      expect(isWanted(state, unknown)).toBe(false);
    }
  });

  test("takes whatever is no result", () => {
    expect(isWanted(state, raised)).toBe(true);
  });

  test("drops the second result while the first waits in the inbox", () => {
    const instance = PureInstance.after([schedule(0, "a")]);
    instance.activity(0);
    expect(isWanted(instance.state, taskFailed(0))).toBe(false);
  });

  test("drops the second result once the first is in history", () => {
    const instance = PureInstance.after([child(0, "b")]);
    instance.do({
      accepted: [
        inboundRecord(9, { case: "childWorkflowInstanceCompleted", value: { taskScheduledId: 0 } }),
      ],
      messages: [],
    });
    instance.turn([]);
    expect(isWanted(instance.state, childFailed(0))).toBe(false);
  });
});
