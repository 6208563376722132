// SPDX-License-Identifier: Apache-2.0

import type { TaskScheduledEvent } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import type { EngineOptions } from "../src/options.js";
import type { Span } from "../src/port/tracing.js";
import { child, complete, continueWith, detached, failure, schedule } from "./actions.js";
import { EngineUnderTest } from "./open-engine.js";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const callerSpan = "b7ad6b7169203331";
const traceParent = `00-${traceId}-${callerSpan}-01`;

/** An engine's options, and the spans that it gives out. */
function traced(sampleRatio = 1): { spans: Span[]; options: EngineOptions } {
  const spans: Span[] = [];
  let ids = 0;
  const createId = (): string => {
    ids += 1;
    return `00000000-0000-4000-8000-${String(ids).padStart(12, "0")}`;
  };
  const emit = (span: Span): number => spans.push(span);
  return { spans, options: { tracing: { emit, sampleRatio }, createId } };
}

function named(spans: readonly Span[], name: string): Span {
  const span = spans.find((one) => one.name === name);
  if (span === undefined) throw new Error(`no span "${name}" in ${spans.map((one) => one.name)}`);
  return span;
}

describe("spans", () => {
  test("hang together from the caller down to the activity of a child", async () => {
    const { spans, options } = traced();
    const under = await EngineUnderTest.open(options);
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a", traceParent, traceState: "a=b" });
    await worker.completeTurn(await worker.turn(), [child(0, "v", "c")]);
    await worker.completeTurn(await worker.turn(2), [schedule(0, "x")]);
    const item = await worker.activity();
    await worker.completeActivity(item);
    await worker.completeTurn(await worker.turn(3), [complete(1)]);
    await worker.completeTurn(await worker.turn(4), [complete(1)]);
    const names = [
      "create_orchestration||w",
      "activity||x",
      "orchestration||v",
      "orchestration||w",
    ];
    expect(spans.map(({ name }) => name)).toEqual(names);
    expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
    expect(new Set(spans.map((span) => span.traceState))).toEqual(new Set(["a=b"]));
    const [creation, activity, ofChild, ofParent] = spans;
    expect(creation).toMatchObject({ kind: "client", parentSpanId: callerSpan });
    expect(ofParent?.parentSpanId).toBe(creation?.spanId);
    expect(ofChild?.parentSpanId).toBe(ofParent?.spanId);
    expect(activity?.parentSpanId).toBe(ofChild?.spanId);
    // The worker goes on below the activity's own span.
    expect(item.traceParent).toBe(`00-${traceId}-${activity?.spanId}-01`);
    expect(item.traceState).toBe("a=b");
    await under.engine.close();
  });

  test("begin a trace where the caller has none", async () => {
    const { spans, options } = traced();
    const under = await EngineUnderTest.open(options);
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [complete(0)]);
    const creation = named(spans, "create_orchestration||w");
    expect(creation).not.toHaveProperty("parentSpanId");
    expect(named(spans, "orchestration||w").parentSpanId).toBe(creation.spanId);
    await under.engine.close();
  });

  test("are not made of what the caller does not record, nor beyond the share", async () => {
    const { spans, options } = traced(0);
    const under = await EngineUnderTest.open(options);
    const worker = under.connect({});
    const unrecorded = `00-${traceId}-${callerSpan}-00`;
    await under.engine.start({ workflow: "w", instanceId: "a", traceParent: unrecorded });
    await worker.completeTurn(await worker.turn(), [schedule(0, "x")]);
    expect((await worker.activity()).traceParent).toBe(unrecorded);
    await worker.completeActivity(worker.lastActivity());
    await worker.completeTurn(await worker.turn(2), [complete(1)]);
    await under.engine.start({ workflow: "w", instanceId: "b" });
    await worker.completeTurn(await worker.turn(3), [schedule(0, "x")]);
    expect(await worker.activity(2)).not.toHaveProperty("traceParent");
    await worker.completeActivity(worker.lastActivity());
    await worker.completeTurn(await worker.turn(4), [complete(1)]);
    expect(spans).toEqual([]);
    await under.engine.close();
  });

  test("are the same over a crash, with the times that history has", async () => {
    const first = traced();
    const under = await EngineUnderTest.open(first.options);
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a", traceParent });
    await worker.completeTurn(await worker.turn(), [schedule(0, "x")]);
    const startedAt = under.clock.now();
    const [scheduled] = (await under.engine.history("a")).flatMap(({ eventType }) =>
      eventType.case === "taskScheduled" ? [eventType.value] : [],
    );
    await under.engine.raiseEvent("a", "go", "secret");
    await worker.completeTurn(await worker.turn(2), []);
    under.clock.moveTo(startedAt + 60_000);
    const second = traced();
    const next = await under.crash(second.options);
    const other = next.connect({});
    await other.completeActivity(await other.activity());
    await other.completeTurn(await other.turn(1), []);
    await next.engine.raiseEvent("a", "end");
    await other.completeTurn(await other.turn(2), [complete(2)]);
    const span = named(second.spans, "orchestration||w");
    expect(span.startAt).toBe(startedAt);
    expect(span.spanId).toBe(ownSpanOf(scheduled));
    expect(span.parentSpanId).toBe(named(first.spans, "create_orchestration||w").spanId);
    expect(span.events.map(({ attributes }) => attributes)).toEqual([
      { name: "go", size: 6 },
      { name: "end", size: 0 },
    ]);
    expect(JSON.stringify(second.spans)).not.toContain("secret");
    await next.engine.close();
  });

  test("come after the commit of what they tell, and never of what was not written", async () => {
    const { spans, options } = traced();
    const under = await EngineUnderTest.open(options);
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a", traceParent });
    await worker.turn();
    spans.length = 0;
    under.faults.failNext(1, "error", ["write"]);
    const answered = worker.completeTurn(worker.lastTurn(), [complete(0)]);
    await expect(answered).rejects.toThrow();
    expect(spans).toEqual([]);
    await under.engine.close();
  });

  test("tell of a start that was refused", async () => {
    const { spans, options } = traced();
    const under = await EngineUnderTest.open(options);
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await expect(under.engine.start({ workflow: "w", instanceId: "a" })).rejects.toThrow();
    expect(spans.map(({ error }) => error)).toEqual([
      undefined,
      "an active workflow with ID 'a' already exists",
    ]);
    await under.engine.close();
  });

  test("tell of every run of an activity: that failed, and whose worker went away", async () => {
    const { spans, options } = traced();
    const under = await EngineUnderTest.open(options);
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a", traceParent });
    await worker.completeTurn(await worker.turn(), [schedule(4, "x")]);
    await worker.activity();
    const begunAt = under.clock.now();
    under.clock.moveTo(begunAt + 50);
    const other = under.connect({});
    worker.close();
    await other.completeActivity(await other.activity(), { failure: failure("E", "no stock") });
    const runs = spans.filter(({ name }) => name === "activity||x");
    expect(runs.map(({ error }) => error)).toEqual(["its worker went away", "no stock"]);
    expect(new Set(runs.map(({ spanId }) => spanId)).size).toBe(2);
    expect(runs[0]).toMatchObject({ kind: "server", startAt: begunAt, endAt: begunAt + 50 });
    expect(runs[1]?.attributes).toEqual({
      "durabletask.type": "activity",
      "durabletask.task.name": "x",
      "durabletask.task.task_id": 4,
      "durabletask.task.instance_id": "a",
    });
    await under.engine.close();
  });

  test("of a detached workflow hang on who asked for it; a new execution begins a trace", async () => {
    const { spans, options } = traced();
    const under = await EngineUnderTest.open(options);
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a", traceParent });
    await worker.completeTurn(await worker.turn(), [detached(0, "d", "other")]);
    await worker.completeTurn(await worker.turn(2), [complete(0)]);
    await under.engine.raiseEvent("a", "go");
    await worker.completeTurn(await worker.turn(3), [continueWith(1)]);
    await worker.completeTurn(await worker.turn(4), [complete(0)]);
    const [before, after] = spans.filter(({ name }) => name === "orchestration||w");
    expect(named(spans, "orchestration||d").parentSpanId).toBe(before?.spanId);
    expect(before?.traceId).toBe(traceId);
    expect(after?.traceId).not.toBe(traceId);
    await under.engine.close();
  });

  test("of a rerun are its own, and begin with it", async () => {
    const { spans, options } = traced();
    const under = await EngineUnderTest.open(options);
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a", traceParent });
    await worker.completeTurn(await worker.turn(), [schedule(0, "x")]);
    await worker.completeActivity(await worker.activity());
    await worker.completeTurn(await worker.turn(2), [complete(1)]);
    const before = named(spans, "orchestration||w");
    spans.length = 0;
    under.clock.moveTo(under.clock.now() + 5_000);
    await under.engine.rerun("a", { eventId: 0, newInstanceId: "b" });
    await worker.completeActivity(await worker.activity(2));
    await worker.completeTurn(await worker.turn(3), [complete(1)]);
    const span = named(spans, "orchestration||w");
    expect(span.spanId).not.toBe(before.spanId);
    expect(span.startAt).toBe(under.clock.now());
    expect(named(spans, "activity||x").parentSpanId).toBe(span.spanId);
    await under.engine.close();
  });
});

function ownSpanOf(scheduled: TaskScheduledEvent | undefined): string | undefined {
  return scheduled?.parentTraceContext?.traceParent.split("-")[2];
}
