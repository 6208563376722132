// SPDX-License-Identifier: Apache-2.0

import type { EventRecord, WorkflowAction } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { child, complete, detached, schedule, sendEvent, timer } from "../../../test/actions.js";
import { kindsOf, PureInstance } from "../../../test/pure-instance.js";
import { applyOutcome } from "../apply-outcome.js";
import { foldEventName } from "../event-name.js";
import type { Outcome } from "../outcome.js";
import { statusOf } from "../status.js";
import { completeTurn } from "./complete-turn.js";
import { fireTimer } from "./fire-timer.js";
import { raiseEvent } from "./raise-event.js";
import { type RerunFacts, type RerunSource, rerun } from "./rerun.js";
import { suspend } from "./suspend.js";

/** Activity 0, then child 1 and activity 2 at once, then timer 3, then the end. */
function finished(): PureInstance {
  const instance = PureInstance.after([schedule(0, "charge", '"in"')], { tags: { team: "a" } });
  instance.activity(0, '"paid"');
  instance.turn([schedule(1, "ship"), schedule(2, "mail")], {
    version: { name: "v1", patches: ["p"] },
  });
  instance.activity(2, '"sent"');
  instance.turn([timer(3, 9000)], { version: { patches: ["p"] } });
  instance.activity(1, '"shipped"');
  instance.turn([complete(4)], { version: { patches: ["p"] } });
  return instance;
}

function sourceOf({ state, history }: PureInstance, more: Partial<RerunSource> = {}): RerunSource {
  const { instanceId, workflow, tags } = state;
  return { instanceId, workflow, tags, hasEnded: true, isChild: false, history, ...more };
}

function facts(eventId: number, more: Partial<RerunFacts> = {}): RerunFacts {
  return {
    instanceId: "again",
    executionId: "execution-2",
    eventId,
    replaceInput: undefined,
    childInstanceId: undefined,
    createId: () => "child-execution",
    appId: "shop",
    ...more,
  };
}

function rerunOf(source: PureInstance, eventId: number, more: Partial<RerunFacts> = {}): Outcome {
  return rerun(undefined, sourceOf(source), facts(eventId, more), 5000);
}

function appendedBy({ turn }: Outcome): readonly EventRecord[] {
  return turn?.appended ?? [];
}

/** Ids and kinds of the scheduling events. */
function scheduled(outcome: Outcome): string[] {
  return appendedBy(outcome)
    .filter(({ event }) => event.eventId >= 0)
    .map(({ event }) => `${event.eventType.case} ${event.eventId}`);
}

describe("rerun()", () => {
  test("keeps the history before the event and does the event again, now", () => {
    const outcome = rerunOf(finished(), 0);
    expect(kindsOf(appendedBy(outcome))).toEqual([
      "workflowStarted",
      "executionStarted",
      "taskScheduled",
    ]);
    const again = appendedBy(outcome).at(-1)?.event;
    expect(again).toMatchObject({
      eventId: 0,
      timestamp: { seconds: 5n },
      eventType: {
        value: {
          name: "charge",
          input: '"in"',
          taskExecutionId: "call-0",
          rerunParentInstanceInfo: { instanceID: "order-1" },
        },
      },
    });
    const state = applyOutcome(undefined, outcome);
    expect(statusOf(state)).toBe("running");
    expect([...state.fold.tasks.keys()]).toEqual([0]);
    expect(state).toMatchObject({ instanceId: "again", generation: 1, tags: { team: "a" } });
  });

  test("keeps what had its result by then, in its place", () => {
    const outcome = rerunOf(finished(), 3);
    expect(scheduled(outcome)).toEqual([
      "taskScheduled 0",
      "taskScheduled 2",
      "taskScheduled 1",
      "timerCreated 3",
    ]);
    const state = applyOutcome(undefined, outcome);
    expect([...state.fold.tasks.keys()]).toEqual([1]);
    expect([...state.fold.timers.keys()]).toEqual([3]);
  });

  test("names the new instance in its start, and keeps the seed of random values", () => {
    const [, start] = appendedBy(rerunOf(finished(), 0));
    expect(start?.event).toMatchObject({
      timestamp: finished().history[1]?.event.timestamp,
      eventType: {
        case: "executionStarted",
        value: { workflowInstance: { instanceId: "again", executionId: "execution-1" } },
      },
    });
  });

  test("keeps the version and the patches of the turns before", () => {
    const state = applyOutcome(undefined, rerunOf(finished(), 3));
    expect(state.fold.patches).toEqual(["p"]);
  });

  test("replaces the input of an activity, or takes it away", () => {
    const inputOf = (outcome: Outcome): unknown => {
      const value = appendedBy(outcome).at(-1)?.event.eventType.value;
      return value && "input" in value ? value.input : "none";
    };
    expect(inputOf(rerunOf(finished(), 0, { replaceInput: { input: "7" } }))).toBe("7");
    expect(inputOf(rerunOf(finished(), 0, { replaceInput: {} }))).toBe("none");
  });

  test("runs the code at once when it asked for more in that turn, or was suspended", () => {
    expect(rerunOf(finished(), 0).accepted).toEqual([]);
    expect(rerunOf(finished(), 2).accepted).toEqual([]);
    const [wakeUp] = rerunOf(finished(), 1).accepted;
    expect(wakeUp?.event.eventType).toMatchObject({
      case: "executionResumed",
      value: { input: "rerun of 'order-1' from event 1" },
    });
    const held = new PureInstance();
    held.do(suspend(held.state, undefined, held.now));
    held.turn([schedule(0, "charge")]);
    expect(rerunOf(held, 0).accepted).toHaveLength(1);
  });

  test("arms a timer that had not fired, and not one that had", () => {
    const instance = PureInstance.after([timer(0, 1500), timer(1, 9000)]);
    instance.do(fireTimer(instance.state, { generation: 1, timerId: 0, fireAt: 1500 }, 1500));
    instance.turn([schedule(2, "charge")]);
    const { fold } = applyOutcome(undefined, rerunOf(instance, 2));
    expect([...fold.timers.values()]).toMatchObject([{ timerId: 1, fireAt: 9000 }]);
  });

  test("waits again for an event when it begins with the wait", () => {
    const instance = PureInstance.after([timer(0, 9000, "Paid")]);
    instance.do(raiseEvent(instance.state, { name: "paid", input: "1" }, instance.now));
    instance.turn([schedule(1, "ship")]);
    const again = applyOutcome(undefined, rerunOf(instance, 0));
    const eventName = foldEventName("Paid");
    expect([...again.fold.timers.values()]).toMatchObject([{ timerId: 0, eventName }]);
    expect(appendedBy(rerunOf(instance, 0)).at(-1)?.event.eventType.value).toMatchObject({
      rerunParentInstanceInfo: { instanceID: "order-1" },
    });
    const later = applyOutcome(undefined, rerunOf(instance, 1));
    expect(later.fold.timers.size).toBe(0);
  });

  test("starts children under the new instance, and keeps those that had ended", () => {
    const instance = PureInstance.after([child(0, "pay", "given"), child(1, "ship", "", '"in"')]);
    const outcome = rerunOf(instance, 1);
    expect(outcome.messages).toMatchObject([
      { targetId: "again:0000" },
      { targetId: "again:0001" },
    ]);
    expect(outcome.messages[1]?.record.event.eventType).toMatchObject({
      case: "executionStarted",
      value: {
        name: "ship",
        input: '"in"',
        workflowInstance: { instanceId: "again:0001", executionId: "child-execution" },
        parentInstance: {
          taskScheduledId: 1,
          workflowInstance: { instanceId: "again", executionId: "execution-2" },
        },
      },
    });
    const { fold } = applyOutcome(undefined, outcome);
    expect([...fold.children.values()].map(({ instanceId }) => instanceId)).toEqual([
      "again:0000",
      "again:0001",
    ]);
    const named = rerunOf(instance, 1, { childInstanceId: "mine", replaceInput: { input: "8" } });
    expect(named.messages[1]).toMatchObject({ targetId: "mine" });
    expect(named.messages[1]?.record.event.eventType.value).toMatchObject({ input: "8" });
  });

  test("goes on from an action that came after the end in its turn", () => {
    const instance = PureInstance.after([complete(0), schedule(1, "late")]);
    const state = applyOutcome(undefined, rerunOf(instance, 1));
    expect(statusOf(state)).toBe("running");
    expect([...state.fold.tasks.keys()]).toEqual([1]);
  });

  test("can be told from a run that went the same way only by its ids and instants", () => {
    const state = applyOutcome(undefined, rerunOf(finished(), 2));
    const started = appendedBy(rerunOf(finished(), 2))[0];
    if (started === undefined) throw new Error("no event");
    const next = completeTurn(
      state,
      {
        events: [started],
        actions: [complete(9)],
        customStatus: undefined,
        version: { patches: ["p"] },
        createId: () => "x",
      },
      6000,
    );
    expect(kindsOf(next.turn?.appended ?? [])).toEqual(["workflowStarted", "executionCompleted"]);
  });
});

test("rerun() takes a history without a start", () => {
  const history = finished().history.filter(
    ({ event }) => event.eventType.case !== "executionStarted",
  );
  const source = sourceOf(finished(), { history });
  expect(rerun(undefined, source, facts(0), 1).turn?.appended).toHaveLength(2);
});

describe("rerun() refuses", () => {
  const others: WorkflowAction[] = [
    detached(0, "w", "d"),
    sendEvent(1, "x", "e"),
    timer(2, 9000),
    schedule(3, "a"),
  ];
  const source = PureInstance.after(others);
  source.activity(3);
  source.turn([complete(4)]);

  test.each([
    [
      "an event that is not there",
      77,
      {},
      "EVENT_NOT_FOUND",
      "does not have history event with ID '77'",
    ],
    ["an event that schedules nothing", 1, {}, "EVENT_NOT_FOUND", "not an event that can be rerun"],
    ["the end", 4, {}, "EVENT_NOT_FOUND", "not an event that can be rerun"],
    ["a detached workflow", 0, {}, "INVALID_ARGUMENT", "detached"],
    ["an input for a timer", 2, { replaceInput: {} }, "INVALID_ARGUMENT", "timer"],
    ["a child's id for a timer", 2, { childInstanceId: "c" }, "INVALID_ARGUMENT", "child"],
    ["a child's id for an activity", 3, { childInstanceId: "c" }, "INVALID_ARGUMENT", "child"],
    ["the id of the instance itself", 3, { instanceId: "order-1" }, "INVALID_ARGUMENT", "own"],
  ])("%s", (_, eventId, more, code, message) => {
    expect(() => rerunOf(source, eventId, more)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  test("a child's id that cannot be one", () => {
    const parent = PureInstance.after([child(0, "pay")]);
    expect(() => rerunOf(parent, 0, { childInstanceId: "a\nb" })).toThrow("control characters");
  });

  test.each([
    [
      "one that has not ended",
      { hasEnded: false },
      "INSTANCE_NOT_ENDED",
      "not in a terminal state",
    ],
    ["a child", { isChild: true }, "INVALID_ARGUMENT", "cannot rerun from child-workflows"],
  ])("%s", (_, more, code, message) => {
    expect(() => rerun(undefined, sourceOf(source, more), facts(3), 1)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  test("an id that has been used, also by one that has ended", () => {
    expect(() => rerun(source.state, sourceOf(source), facts(3), 1)).toThrow(
      expect.objectContaining({
        code: "INSTANCE_EXISTS",
        message: "workflow 'again' has already been created",
      }),
    );
  });
});
