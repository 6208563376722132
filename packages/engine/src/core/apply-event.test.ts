// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import {
  EventRecord,
  HistoryEventSchema,
  type HistoryEventType,
  historyEvent,
  OrchestrationStatus,
  StalledReason,
  toTimestamp,
} from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { applyEvent } from "./apply-event.js";
import { emptyFold, type OwnedFold } from "./state.js";

/** Folds events; each is an id, an instant and a type. */
function fold(...events: [id: number, at: number, type: HistoryEventType][]): OwnedFold {
  const result = emptyFold();
  for (const [id, at, type] of events) {
    applyEvent(result, EventRecord.of(historyEvent(id, at, type)));
  }
  return result;
}

const started: [number, number, HistoryEventType] = [-1, 5, { case: "workflowStarted", value: {} }];

function timerCreated(
  id: number,
  fireAt: number,
  name?: string,
): [number, number, HistoryEventType] {
  const value = { fireAt: toTimestamp(fireAt) };
  if (name === undefined) return [id, 5, { case: "timerCreated", value }];
  const origin = { case: "externalEvent", value: { name } } as const;
  return [id, 5, { case: "timerCreated", value: { ...value, origin } }];
}

function raised(name: string): [number, number, HistoryEventType] {
  return [-1, 6, { case: "eventRaised", value: { name } }];
}

describe("applyEvent() on the life of an execution", () => {
  test("counts every event and keeps the newest instant", () => {
    const result = fold(
      started,
      [-1, 9, { case: "eventRaised", value: { name: "a" } }],
      raised("b"),
    );
    expect(result.eventCount).toBe(3);
    expect(result.updatedAt).toBe(9);
  });

  test("takes an event without a timestamp as one of no instant", () => {
    const result = emptyFold();
    const event = create(HistoryEventSchema, {
      eventType: { case: "workflowStarted", value: {} },
    });
    applyEvent(result, EventRecord.of(event));
    expect(result).toMatchObject({ eventCount: 1, startedAt: 0, updatedAt: 0 });
  });

  test("takes start and version from the first workflowStarted only", () => {
    const result = fold(
      [-1, 5, { case: "workflowStarted", value: { version: { name: "v1" } } }],
      [-1, 7, { case: "workflowStarted", value: { version: { name: "v2" } } }],
    );
    expect(result).toMatchObject({ startedAt: 5, version: "v1", updatedAt: 7 });
  });

  test("has no version when the first workflowStarted names none", () => {
    expect(fold(started).version).toBe("");
  });

  test("keeps the record of the start", () => {
    const result = fold([-1, 5, { case: "executionStarted", value: { name: "order" } }]);
    expect(result.startRecord?.event.eventType.case).toBe("executionStarted");
  });

  test.each([
    [OrchestrationStatus.COMPLETED, "completed"],
    [OrchestrationStatus.TERMINATED, "terminated"],
    [OrchestrationStatus.FAILED, "failed"],
    [OrchestrationStatus.CANCELED, "failed"],
  ] as const)("ends with status %i as %s", (workflowStatus, end) => {
    const result = fold([7, 8, { case: "executionCompleted", value: { workflowStatus } }]);
    expect(result.end).toBe(end);
    expect(result.completedAt).toBe(8);
    expect(result.endRecord?.event.eventId).toBe(7);
    expect(result.actionIds.has(7)).toBe(true);
  });

  test("drops open timers at the end and takes no new ones", () => {
    const workflowStatus = OrchestrationStatus.COMPLETED;
    const end: [number, number, HistoryEventType] = [
      2,
      6,
      { case: "executionCompleted", value: { workflowStatus } },
    ];
    const result = fold(timerCreated(1, 50), end, timerCreated(3, 60));
    expect(result.timers.size).toBe(0);
    expect([...result.actionIds]).toEqual([1, 2, 3]);
  });

  test("follows suspend and resume", () => {
    const suspend: [number, number, HistoryEventType] = [
      -1,
      5,
      { case: "executionSuspended", value: {} },
    ];
    expect(fold(suspend).suspended).toBe(true);
    expect(fold(suspend, started).suspended).toBe(true);
    expect(fold(suspend, [-1, 6, { case: "executionResumed", value: {} }]).suspended).toBe(false);
  });

  test.each([
    [StalledReason.PATCH_MISMATCH, "PATCH_MISMATCH"],
    [StalledReason.VERSION_NOT_AVAILABLE, "VERSION_NOT_AVAILABLE"],
    [StalledReason.PAYLOAD_SIZE_EXCEEDED, "PAYLOAD_SIZE_EXCEEDED"],
  ] as const)("stalls with reason %i as %s", (reason, name) => {
    const result = fold([
      -1,
      5,
      { case: "executionStalled", value: { reason, description: "why" } },
    ]);
    expect(result.stall).toEqual({ reason: name, description: "why" });
  });

  test("stalls without a description", () => {
    const reason = StalledReason.PATCH_MISMATCH;
    expect(fold([-1, 5, { case: "executionStalled", value: { reason } }]).stall).toEqual({
      reason: "PATCH_MISMATCH",
      description: "",
    });
  });

  test("ends a stall with any later event", () => {
    const reason = StalledReason.PATCH_MISMATCH;
    const stalled: [number, number, HistoryEventType] = [
      -1,
      5,
      { case: "executionStalled", value: { reason } },
    ];
    expect(fold(stalled).stall).toBeDefined();
    for (const later of [started, raised("a"), timerCreated(1, 50)]) {
      expect(fold(stalled, later).stall).toBeUndefined();
    }
  });

  test("only counts what says nothing of the state", () => {
    const result = fold([-1, 5, { case: "executionTerminated", value: { recurse: true } }]);
    expect(result).toEqual({ ...emptyFold(), eventCount: 1, updatedAt: 5 });
  });
});

describe("applyEvent() on tasks, children and sent events", () => {
  const scheduled: [number, number, HistoryEventType] = [
    3,
    5,
    { case: "taskScheduled", value: { name: "charge" } },
  ];

  test("opens a task when it is scheduled", () => {
    const result = fold(scheduled);
    expect(result.tasks.get(3)?.taskId).toBe(3);
    expect(result.actionIds.has(3)).toBe(true);
  });

  test("closes a task when it completes or fails", () => {
    const completed = { case: "taskCompleted", value: { taskScheduledId: 3 } } as const;
    const failed = { case: "taskFailed", value: { taskScheduledId: 3 } } as const;
    expect(fold(scheduled, [-1, 6, completed]).tasks.size).toBe(0);
    expect(fold(scheduled, [-1, 6, failed]).tasks.size).toBe(0);
  });

  test("closes a child with its result, and keeps it for the cascade", () => {
    const created: [number, number, HistoryEventType] = [
      4,
      5,
      { case: "childWorkflowInstanceCreated", value: { name: "pay", instanceId: "pay-1" } },
    ];
    const value = { taskScheduledId: 4 };
    const open = { instanceId: "pay-1", open: true };
    const closed = { instanceId: "pay-1", open: false };
    expect(fold(created).children.get(4)).toEqual(open);
    expect(fold(created).actionIds.has(4)).toBe(true);
    for (const kind of ["childWorkflowInstanceCompleted", "childWorkflowInstanceFailed"] as const) {
      expect(fold(created, [-1, 6, { case: kind, value }]).children.get(4)).toEqual(closed);
    }
  });

  test("ignores the result of a child that is not there", () => {
    const value = { taskScheduledId: 9 };
    expect(fold([-1, 5, { case: "childWorkflowInstanceCompleted", value }]).children.size).toBe(0);
  });

  test.each(["detachedWorkflowInstanceCreated", "eventSent"] as const)(
    "notes the action id of %s",
    (kind) => {
      expect([...fold([6, 5, { case: kind, value: {} }]).actionIds]).toEqual([6]);
    },
  );
});

describe("applyEvent() on timers", () => {
  test("opens a timer with its instant, rounded up, and keeps the exact one", () => {
    const fireAt = toTimestamp(50);
    fireAt.nanos += 1;
    const result = fold([1, 5, { case: "timerCreated", value: { fireAt } }]);
    expect(result.timers.get(1)).toEqual({
      timerId: 1,
      createdAt: 5,
      fireAt: 51,
      exactFireAt: fireAt,
    });
  });

  test("takes a timer of before 1970 as due since then", () => {
    expect(fold(timerCreated(1, -5000)).timers.get(1)?.fireAt).toBe(0);
  });

  test("takes a timer without an instant as due", () => {
    expect(fold([1, 5, { case: "timerCreated", value: {} }]).timers.get(1)?.fireAt).toBe(0);
  });

  test("closes a timer when it fires", () => {
    const fired = { case: "timerFired", value: { timerId: 1 } } as const;
    expect(fold(timerCreated(1, 50), [-1, 50, fired]).timers.size).toBe(0);
  });

  test("clears the wait's timer when the event comes, whatever its case", () => {
    expect(fold(timerCreated(1, 50, "Approved"), raised("aPPROVED")).timers.size).toBe(0);
  });

  test.each([
    ["onay\u0131", "onayi"],
    ["Stra\u00dfe", "STRASSE"],
    ["\u212a", "k"],
  ])("leaves a wait's timer where only some rules of case make the names one: %s", (a, b) => {
    expect([...fold(timerCreated(1, 50, a), raised(b)).timers.keys()]).toEqual([1]);
    expect([...fold(timerCreated(1, 50, b), raised(a)).timers.keys()]).toEqual([1]);
    expect(fold(timerCreated(1, 50, a), raised(a)).timers.size).toBe(0);
  });

  test("clears the oldest wait of the name, one for each event", () => {
    const waits = [timerCreated(1, 90, "a"), timerCreated(2, 50, "b"), timerCreated(3, 40, "A")];
    expect([...fold(...waits, raised("a")).timers.keys()]).toEqual([2, 3]);
    expect([...fold(...waits, raised("a"), raised("a")).timers.keys()]).toEqual([2]);
    expect([...fold(...waits, raised("a"), raised("a"), raised("a")).timers.keys()]).toEqual([2]);
  });

  test("leaves plain timers and waits that began later alone", () => {
    expect([...fold(timerCreated(1, 50), raised("a")).timers.keys()]).toEqual([1]);
    expect([...fold(raised("a"), timerCreated(1, 50, "a")).timers.keys()]).toEqual([1]);
  });
});
