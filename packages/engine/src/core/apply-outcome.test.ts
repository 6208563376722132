// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { complete, continueWith, schedule, timer } from "../../test/actions.js";
import { kindsOf, PureInstance, startFacts } from "../../test/pure-instance.js";
import { applyOutcome } from "./apply-outcome.js";
import { completeActivity } from "./command/complete-activity.js";
import { raiseEvent } from "./command/raise-event.js";
import { start } from "./command/start.js";
import { nothing } from "./outcome.js";
import { resultKey } from "./resolution-key.js";

function raise(instance: PureInstance, name: string): void {
  instance.do(raiseEvent(instance.state, { name, input: undefined }, instance.now));
}

describe("applyOutcome()", () => {
  test("begins an instance with its start in the inbox", () => {
    const state = applyOutcome(undefined, start(undefined, startFacts({ tags: { a: "b" } }), 7));
    expect(state).toMatchObject({ generation: 1, createdAt: 7, tags: { a: "b" } });
    expect(kindsOf(state.inbox)).toEqual(["executionStarted"]);
  });

  test("refuses an outcome without a beginning for no instance", () => {
    expect(() => applyOutcome(undefined, nothing)).toThrow("without a beginning");
  });

  test("gives the same object back when the instance goes on", () => {
    const instance = new PureInstance();
    const before = instance.state;
    instance.turn([schedule(0, "charge")], { customStatus: "busy" });
    expect(instance.state).toBe(before);
    expect(instance.state.customStatus).toBe("busy");
    expect(instance.state.inbox).toEqual([]);
  });

  test("takes from the front of the inbox and keeps the rest", () => {
    const instance = PureInstance.after([]);
    for (const name of ["a", "b", "c"]) raise(instance, name);
    instance.turn([], { take: 2 });
    expect(instance.state.inbox.map((r) => r.event.eventType.value)).toMatchObject([{ name: "c" }]);
  });

  test("knows a result as arrived until a turn takes it", () => {
    const instance = PureInstance.after([schedule(0, "charge")]);
    instance.activity(0, '"ok"');
    expect([...instance.state.arrived]).toEqual([resultKey("task", 0)]);
    instance.turn([]);
    expect(instance.state.arrived.size).toBe(0);
    expect(instance.state.fold.tasks.size).toBe(0);
  });

  test("replaces the custom status, and clears it when a turn gives none", () => {
    const instance = PureInstance.after([], {});
    raise(instance, "a");
    instance.turn([], { customStatus: "one" });
    raise(instance, "b");
    instance.turn([]);
    expect(instance.state.customStatus).toBeUndefined();
  });

  test("drops the inbox of an ended execution when the id is used again", () => {
    const instance = PureInstance.after([complete(0)]);
    instance.do(start(instance.state, startFacts({ executionId: "execution-2" }), 50));
    expect(instance.state).toMatchObject({ generation: 2, executionId: "execution-2" });
    expect(kindsOf(instance.state.inbox)).toEqual(["executionStarted"]);
    expect(instance.state.fold.eventCount).toBe(0);
  });

  test("keeps untaken events over continue-as-new, but no results", () => {
    const instance = PureInstance.after([schedule(0, "charge"), timer(1, 5000)]);
    raise(instance, "early");
    const decided = instance.decideTurn([continueWith(2)]);
    raise(instance, "late");
    instance.activity(0, '"ok"');
    instance.do(decided);
    expect(kindsOf(instance.state.inbox)).toEqual(["executionStarted", "eventRaised"]);
    expect(instance.state.inbox.at(-1)?.event.eventType.value).toMatchObject({ name: "late" });
    expect(instance.state.arrived.size).toBe(0);
  });

  test("continues as new also where nothing is left of what was before", () => {
    const { beginning, ...rest } = new PureInstance().decideTurn([continueWith(0)]);
    if (beginning === undefined) throw new Error("nothing begins");
    const state = applyOutcome(undefined, { beginning, ...rest });
    expect(state.generation).toBe(2);
    expect(kindsOf(state.inbox)).toEqual(["executionStarted"]);
  });

  test("settles a task of an ended instance", () => {
    const instance = PureInstance.after([schedule(0, "mail"), complete(1)]);
    expect(instance.state.fold.tasks.size).toBe(1);
    const facts = { executionId: "execution-1", taskId: 0, output: undefined, failure: undefined };
    instance.do(completeActivity(instance.state, facts, 60));
    expect([...instance.state.settled]).toEqual([0]);
    expect(instance.state.fold).toEqual(instance.refold());
    expect(instance.state.inbox).toEqual([]);
  });

  test("settles the tasks whose results came while the last turn ran", () => {
    const instance = PureInstance.after([schedule(0, "mail"), schedule(1, "bill")]);
    instance.activity(0, '"sent"');
    instance.turn([complete(2)], { take: 0 });
    expect([...instance.state.settled]).toEqual([0]);
    expect([...instance.state.fold.tasks.keys()]).toEqual([0, 1]);
  });
});
