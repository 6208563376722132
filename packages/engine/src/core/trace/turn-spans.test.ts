// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { TraceContextSchema } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { complete, continueWith, fail, failure, schedule, timer } from "../../../test/actions.js";
import { PureInstance, startFacts } from "../../../test/pure-instance.js";
import type { Span } from "../../port/tracing.js";
import { fireTimer } from "../command/fire-timer.js";
import { raiseEvent } from "../command/raise-event.js";
import { start } from "../command/start.js";
import { suspend } from "../command/suspend.js";
import { terminate, terminateNow } from "../command/terminate.js";
import type { Outcome } from "../outcome.js";
import { executionStart } from "../state.js";
import { turnSpans } from "./turn-spans.js";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const callerSpan = "b7ad6b7169203331";
const traceContext = create(TraceContextSchema, {
  traceParent: `00-${traceId}-${callerSpan}-01`,
  traceState: "a=b",
});
const traced = { traceContext, hasSpan: true };

/** The spans that end with an outcome, which is then carried out. */
function spansOf(instance: PureInstance, outcome: Outcome): Span[] {
  const spans = turnSpans(instance.state, outcome, () => "timer-id", instance.now);
  instance.do(outcome);
  return spans;
}

function ownSpan(instance: PureInstance): string {
  return executionStart(instance.state)?.workflowSpanID ?? "none";
}

describe("the span of an execution", () => {
  test("goes from its first turn to its end, below its caller's", () => {
    const instance = PureInstance.after([schedule(0, "x")], traced);
    const { startedAt } = instance.state.fold;
    instance.now += 100;
    instance.activity(0);
    const spanId = ownSpan(instance);
    const [span, ...others] = spansOf(instance, instance.decideTurn([complete(1)]));
    expect(others).toEqual([]);
    expect(span).toEqual({
      name: "orchestration||order",
      kind: "server",
      traceId,
      spanId,
      parentSpanId: callerSpan,
      traceState: "a=b",
      startAt: startedAt,
      endAt: instance.state.fold.completedAt,
      attributes: {
        "durabletask.type": "orchestration",
        "durabletask.task.name": "order",
        "durabletask.task.instance_id": "order-1",
        "durabletask.runtime_status": "COMPLETED",
      },
      events: [],
    });
    expect(spanId).toMatch(/^[0-9a-f]{16}$/);
  });

  test("is none while it goes on, or when its trace is not recorded", () => {
    expect(spansOf(new PureInstance(traced), new PureInstance(traced).decideTurn([]))).toEqual([]);
    const untraced = new PureInstance({ traceContext });
    expect(spansOf(untraced, untraced.decideTurn([complete(0)]))).toEqual([]);
    const alone = new PureInstance();
    expect(spansOf(alone, alone.decideTurn([complete(0)]))).toEqual([]);
    const odd = create(TraceContextSchema, { traceParent: "odd" });
    const strange = new PureInstance({ traceContext: odd, hasSpan: true });
    expect(spansOf(strange, strange.decideTurn([complete(0)]))).toEqual([]);
  });

  test("is none of a start anew", () => {
    const instance = PureInstance.after([complete(0)], traced);
    const again = start(instance.state, startFacts(traced), instance.now);
    expect(spansOf(instance, again)).toEqual([]);
  });

  test("of one turn begins with that turn", () => {
    const instance = new PureInstance(traced);
    instance.now += 50;
    const { now } = instance;
    const [span] = spansOf(instance, instance.decideTurn([complete(0)]));
    expect(span).toMatchObject({ startAt: now, endAt: now });
  });

  test("says that it failed, and why", () => {
    const instance = new PureInstance(traced);
    const [span] = spansOf(
      instance,
      instance.decideTurn([fail(0, failure("OutOfStock", "no stock"))]),
    );
    expect(span).toMatchObject({ error: "no stock" });
    expect(span?.attributes["durabletask.runtime_status"]).toBe("FAILED");
  });

  test("says that it was terminated, which is no failure", () => {
    const instance = new PureInstance(traced);
    instance.do(terminate(instance.state, { output: undefined, recursive: true }, instance.now));
    const [span] = spansOf(instance, terminateNow(instance.state, instance.now));
    expect(span?.attributes["durabletask.runtime_status"]).toBe("TERMINATED");
    expect(span).not.toHaveProperty("error");
  });

  test("ends with continue-as-new, and the next has another", () => {
    const instance = PureInstance.after([], traced);
    const { now } = instance;
    const before = ownSpan(instance);
    const [span] = spansOf(instance, instance.decideTurn([continueWith(0)]));
    expect(span).toMatchObject({ spanId: before, endAt: now });
    expect(span?.attributes["durabletask.runtime_status"]).toBe("CONTINUED_AS_NEW");
    const [next] = spansOf(instance, instance.decideTurn([complete(0)]));
    expect(next?.spanId).not.toBe(before);
    expect(next?.traceId).not.toBe(traceId);
    expect(next).not.toHaveProperty("traceState");
  });

  test("of one turn may end with continue-as-new", () => {
    const instance = new PureInstance(traced);
    const { now } = instance;
    const [span] = spansOf(instance, instance.decideTurn([continueWith(0)]));
    expect(span).toMatchObject({ startAt: now, endAt: now });
  });

  test("tells of events of every turn, the last one's too", () => {
    const instance = PureInstance.after([], traced);
    instance.do(raiseEvent(instance.state, { name: "go", input: "1" }, instance.now));
    instance.turn([]);
    instance.do(suspend(instance.state, "lunch", instance.now));
    const [span] = spansOf(instance, instance.decideTurn([complete(0)]));
    expect(span?.events.map(({ name }) => name)).toEqual([
      "Received external event",
      "Execution suspended",
    ]);
  });

  test("names its patches, and the version that its start asked for", () => {
    const instance = PureInstance.after([], { ...traced });
    instance.turn([], { version: { patches: ["a"] } });
    const started = executionStart(instance.state);
    if (started !== undefined) started.version = "v2";
    const outcome = instance.decideTurn([complete(0)], { version: { patches: ["a", "b"] } });
    const [span] = spansOf(instance, outcome);
    expect(span?.name).toBe("orchestration||order||v2");
    expect(span?.attributes).toMatchObject({
      applied_patches: ["a", "b"],
      "durabletask.task.version": "v2",
    });
  });
});

describe("the span of a timer", () => {
  test("is none where the event that it bounded has come before it", () => {
    const instance = PureInstance.after([timer(3, 5_000, "go")], traced);
    instance.do(raiseEvent(instance.state, { name: "go", input: undefined }, instance.now));
    const facts = { generation: 1, timerId: 3, fireAt: 5_000 };
    instance.do(fireTimer(instance.state, facts, instance.now));
    instance.turn([], { take: 1 });
    expect(instance.state.inbox).toHaveLength(1);
    expect(spansOf(instance, instance.decideTurn([]))).toEqual([]);
  });

  test("goes from its creation to the turn that is told of it", () => {
    const instance = PureInstance.after([timer(3, 5_000)], traced);
    const createdAt = instance.state.fold.timers.get(3)?.createdAt;
    instance.now = 5_000;
    const facts = { generation: 1, timerId: 3, fireAt: 5_000 };
    instance.do(fireTimer(instance.state, facts, instance.now));
    instance.now = 6_500;
    expect(spansOf(instance, instance.decideTurn([]))).toEqual([
      {
        name: "timer",
        kind: "internal",
        traceId,
        spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
        parentSpanId: ownSpan(instance),
        traceState: "a=b",
        startAt: createdAt,
        endAt: 6_500,
        attributes: {
          "durabletask.type": "timer",
          "durabletask.fire_at": "1970-01-01T00:00:05Z",
          "durabletask.task.task_id": 3,
          "durabletask.task.instance_id": "order-1",
        },
        events: [],
      },
    ]);
  });
});
