// SPDX-License-Identifier: Apache-2.0

import { type HistoryEvent, type HistoryEventType, historyEvent } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { readHistoryFacts } from "./history-facts.ts";
import { completed, event, started } from "./testing/history.ts";

function faultsOf(...events: readonly HistoryEvent[]): readonly string[] {
  return readHistoryFacts([event({ case: "workflowStarted", value: {} }), started(), ...events])
    .faults;
}

const scheduled = event({ case: "taskScheduled", value: { name: "a" } }, 0);
const done = event({ case: "taskCompleted", value: { taskScheduledId: 0, result: "1" } });
const child = event({ case: "childWorkflowInstanceCreated", value: { instanceId: "c" } }, 0);
const childDone: HistoryEventType = {
  case: "childWorkflowInstanceCompleted",
  value: { taskScheduledId: 0, result: "1" },
};

describe("readHistoryFacts()", () => {
  test("finds no fault in a whole history", () => {
    expect(faultsOf(scheduled, done, completed())).toEqual([]);
  });

  test("finds a second result of a task", () => {
    expect(faultsOf(scheduled, done, done, completed())).toEqual([
      "event 4: a second result of task 0",
    ]);
  });

  test("finds a result that nobody asked for", () => {
    expect(faultsOf(done, completed())).toEqual([
      "event 2: a result of task 0, which nobody asked for",
    ]);
  });

  test("finds a task without a result in a completed instance", () => {
    expect(faultsOf(scheduled, completed())).toEqual(["task 0 has no result"]);
  });

  test("finds a second end and what follows an end", () => {
    expect(faultsOf(completed(), completed(2))).toEqual([
      "event 3: executionCompleted after the end",
    ]);
  });

  test("finds a second start, and a missing one", () => {
    expect(faultsOf(started(), completed())).toEqual(["event 2: a second executionStarted"]);
    expect(readHistoryFacts([completed()]).faults).toEqual([
      "event 0: a history begins with a turn",
      "no executionStarted",
    ]);
  });

  test("finds an instance that has not ended", () => {
    expect(faultsOf()).toEqual(["no executionCompleted"]);
  });

  test("finds an action that is there twice", () => {
    expect(faultsOf(scheduled, scheduled, done, completed())).toEqual([
      "event 3: action 0 is there twice",
    ]);
  });

  test("finds a timer that fired early, twice, or without being made", () => {
    const made = event({ case: "timerCreated", value: { fireAt: { seconds: 5n, nanos: 0 } } }, 0);
    const fired = (at: number): HistoryEvent =>
      historyEvent(-1, at, { case: "timerFired", value: { timerId: 0 } });
    expect(faultsOf(made, fired(5000), completed())).toEqual([]);
    expect(faultsOf(made, fired(4999), completed())).toEqual(["event 3: timer 0 fired 1 ms early"]);
    expect(faultsOf(made, fired(5000), fired(5000), completed())).toEqual([
      "event 4: timer 0 fired twice",
    ]);
    expect(faultsOf(fired(1), completed())).toEqual(["event 2: timer 0, which nobody made, fired"]);
  });

  test("finds a second result of a child, and one of no child", () => {
    expect(faultsOf(child, event(childDone), event(childDone), completed())).toEqual([
      "event 4: a second result of child 0",
    ]);
    expect(faultsOf(event(childDone), completed())).toEqual([
      "event 2: a result of child 0, which nobody made",
    ]);
  });
});
