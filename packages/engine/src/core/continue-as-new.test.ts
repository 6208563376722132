// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { historyEvent, TraceContextSchema } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { child, continueWith, schedule, timer } from "../../test/actions.js";
import { kindsOf, PureInstance } from "../../test/pure-instance.js";
import { raiseEvent } from "./command/raise-event.js";
import { receive } from "./command/receive.js";
import { resume } from "./command/resume.js";
import { suspend } from "./command/suspend.js";
import { executionStart, hasSpan, traceOf } from "./state.js";

function raise(instance: PureInstance, name: string): void {
  instance.do(raiseEvent(instance.state, { name, input: undefined }, instance.now));
}

describe("continueAsNew()", () => {
  test("begins the next generation of the same instance", () => {
    const instance = PureInstance.after([], { tags: { a: "b" }, startAt: 500 });
    raise(instance, "go");
    instance.turn([continueWith(0, '"next"')], { customStatus: "round 2" });
    expect(instance.state).toMatchObject({
      instanceId: "order-1",
      workflow: "order",
      generation: 2,
      executionId: "id-1",
      startAt: 0,
      continued: true,
      tags: { a: "b" },
      customStatus: "round 2",
    });
    expect(instance.history).toEqual([]);
    expect(instance.state.inbox[0]?.event.eventType).toMatchObject({
      case: "executionStarted",
      value: {
        name: "order",
        input: '"next"',
        workflowInstance: { instanceId: "order-1", executionId: "id-1" },
        tags: { a: "b" },
      },
    });
  });

  test("has no input when the worker gave none", () => {
    const instance = PureInstance.after([continueWith(0)]);
    expect(instance.state.inbox[0]?.event.eventType.value).not.toHaveProperty("input");
    expect(instance.state.inbox[0]?.event.eventType.value).not.toHaveProperty("parentInstance");
  });

  test("drops everything else that the turn asked for", () => {
    const { messages, turn } = new PureInstance().decideTurn([
      schedule(0, "charge"),
      child(1, "pay"),
      continueWith(2),
      timer(3, 5000),
    ]);
    expect(messages).toEqual([]);
    expect(turn?.appended).toEqual([]);
  });

  test("puts carried events before those that no turn has taken", () => {
    const instance = PureInstance.after([]);
    raise(instance, "carried");
    const [carried] = instance.state.inbox;
    if (carried === undefined) throw new Error("nothing was raised");
    const decided = instance.decideTurn([continueWith(0, undefined, [carried.event])]);
    raise(instance, "waiting");
    instance.do(decided);
    const names = instance.state.inbox.map((record) => record.event.eventType.value);
    expect(names).toMatchObject([{ name: "order" }, { name: "carried" }, { name: "waiting" }]);
  });

  test.each([
    ["a first turn", 0],
    ["a later turn", 1],
  ])("keeps the link to the parent from %s", (_, turnsBefore) => {
    const parent = new PureInstance({ instanceId: "parent", executionId: "parent-1" });
    const [message] = parent.turn([child(4, "order", "order-1")]).messages;
    if (message === undefined) throw new Error("no child was started");
    const instance = new PureInstance();
    instance.do(receive(undefined, message, 9));
    for (let turn = 0; turn < turnsBefore; turn += 1) {
      instance.turn([]);
      raise(instance, "go");
    }
    instance.turn([continueWith(0)]);
    expect(instance.state.parent).toEqual({
      instanceId: "parent",
      executionId: "parent-1",
      taskId: 4,
    });
    expect(instance.state.inbox[0]?.event.eventType.value).toMatchObject({
      parentInstance: { taskScheduledId: 4, workflowInstance: { instanceId: "parent" } },
    });
  });

  test("can continue again and again", () => {
    const instance = new PureInstance();
    for (let round = 0; round < 50; round += 1) instance.turn([continueWith(0, `${round}`)]);
    expect(instance.state.generation).toBe(51);
    expect(kindsOf(instance.state.inbox)).toEqual(["executionStarted"]);
  });

  test("goes without a parent when the start is missing", () => {
    const instance = PureInstance.after([]);
    instance.state.fold.startRecord = undefined;
    raise(instance, "go");
    instance.turn([continueWith(0)]);
    expect(instance.state.inbox[0]?.event.eventType.value).not.toHaveProperty("parentInstance");
  });

  test.each([
    ["suspended before", ["suspend"], [], true],
    ["suspended in its last turn", [], ["suspend"], true],
    ["suspended and resumed before", ["suspend", "resume"], [], false],
    ["resumed in its last turn", ["suspend"], ["resume"], false],
    ["suspended again in its last turn", ["suspend"], ["resume", "suspend"], true],
  ] as const)("keeps an instance that was %s as it was", (_, before, last, isSuspended) => {
    const instance = PureInstance.after([]);
    const take = (verb: "suspend" | "resume"): void => {
      const command = verb === "suspend" ? suspend : resume;
      instance.do(command(instance.state, "audit", instance.now));
    };
    for (const verb of before) {
      take(verb);
      instance.turn([]);
    }
    for (const verb of last) take(verb);
    raise(instance, "go");
    const [carry] = instance.state.inbox.slice(-1);
    if (carry === undefined) throw new Error("nothing was raised");
    instance.turn([continueWith(0, undefined, [carry.event])]);
    expect(kindsOf(instance.state.inbox)).toEqual([
      "executionStarted",
      ...(isSuspended ? ["executionSuspended"] : []),
      "eventRaised",
    ]);
    instance.turn([]);
    expect(instance.state.fold.suspended).toBe(isSuspended);
  });

  test("begins a trace of its own where there was one", () => {
    const traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const traceContext = create(TraceContextSchema, { traceParent });
    const instance = new PureInstance({ traceContext });
    instance.turn([continueWith(0)]);
    const trace = traceOf(instance.state)?.traceParent;
    expect(trace).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    instance.turn([continueWith(0)]);
    expect(traceOf(instance.state)?.traceParent).not.toBe(trace);
    expect(hasSpan(instance.state)).toBe(false);
    expect(traceOf(PureInstance.after([continueWith(0)]).state)).toBeUndefined();
  });

  test("has a span of its own, recorded or not, as the one before had", () => {
    const traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    const traceContext = create(TraceContextSchema, { traceParent });
    const instance = new PureInstance({ traceContext, hasSpan: true });
    const before = executionStart(instance.state)?.workflowSpanID;
    instance.turn([continueWith(0)]);
    expect(hasSpan(instance.state)).toBe(true);
    expect(executionStart(instance.state)?.workflowSpanID).not.toBe(before);
    expect(traceOf(instance.state)?.traceParent).toMatch(/-00$/);
  });

  test("does not carry over results, which have the numbers of tasks to come", () => {
    const result = historyEvent(-1, 3, { case: "taskCompleted", value: { taskScheduledId: 0 } });
    const instance = PureInstance.after([continueWith(0, undefined, [result])]);
    expect(kindsOf(instance.state.inbox)).toEqual(["executionStarted"]);
    expect(instance.state.arrived.size).toBe(0);
  });

  test("keeps carried events in their order, before those that no turn has taken", () => {
    const carry = ["b", "a", "c"].map((name) =>
      historyEvent(-1, 3, { case: "eventRaised", value: { name } }),
    );
    const instance = PureInstance.after([]);
    raise(instance, "taken");
    raise(instance, "late");
    instance.turn([continueWith(0, undefined, carry)], { take: 1 });
    const names = instance.state.inbox.flatMap(({ event: { eventType } }) =>
      eventType.case === "eventRaised" ? [eventType.value.name] : [],
    );
    expect(names).toEqual(["b", "a", "c", "late"]);
  });

  test("carries external events over, and nothing that only the engine writes", () => {
    const odd = [
      historyEvent(-1, 3, { case: "executionCompleted", value: { result: "1" } }),
      historyEvent(-1, 3, { case: "executionStarted", value: { name: "other" } }),
      historyEvent(-1, 3, { case: "eventRaised", value: { name: "go" } }),
    ];
    const instance = PureInstance.after([continueWith(0, undefined, odd)]);
    expect(kindsOf(instance.state.inbox)).toEqual(["executionStarted", "eventRaised"]);
    expect(instance.state.workflow).toBe("order");
  });

  test("takes carried events as the worker sent them", () => {
    const event = historyEvent(-1, 3, { case: "eventRaised", value: { name: "Kept", input: "1" } });
    const instance = PureInstance.after([continueWith(0, undefined, [event])]);
    expect(instance.state.inbox[1]?.event).toEqual(event);
  });
});
