// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import {
  type HistoryEvent,
  HistoryEventSchema,
  historyEvent,
  StalledReason,
  TraceContextSchema,
} from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { PureInstance } from "../../../test/pure-instance.js";
import { raiseEvent } from "../command/raise-event.js";
import { spanEventLimit, spanEventsOf } from "./span-event.js";

const one = (event: HistoryEvent) => spanEventsOf(event)[0];

describe("spanEventsOf()", () => {
  test("tells of an event without its payload", () => {
    const value = { name: "go", input: '"ü"' };
    expect(one(historyEvent(-1, 5, { case: "eventRaised", value }))).toEqual({
      name: "Received external event",
      at: 5,
      attributes: { name: "go", size: 4 },
    });
    const empty = historyEvent(-1, 5, { case: "eventRaised", value: { name: "go" } });
    expect(one(empty)?.attributes).toEqual({ name: "go", size: 0 });
  });

  test("tells of suspensions and stalls, and why", () => {
    const reason = { input: "lunch" };
    const of = (type: Parameters<typeof historyEvent>[2]) => one(historyEvent(-1, 5, type));
    expect(of({ case: "executionSuspended", value: reason })).toEqual({
      name: "Execution suspended",
      at: 5,
      attributes: { reason: "lunch" },
    });
    expect(of({ case: "executionSuspended", value: {} })?.attributes).toEqual({ reason: "" });
    expect(of({ case: "executionResumed", value: reason })).toMatchObject({
      name: "Execution resumed",
      attributes: { reason: "lunch" },
    });
    expect(of({ case: "executionResumed", value: {} })?.attributes).toEqual({ reason: "" });
    const stalled = { reason: StalledReason.PATCH_MISMATCH, description: "one is missing" };
    expect(of({ case: "executionStalled", value: stalled })).toMatchObject({
      name: "Execution stalled",
      attributes: { reason: "PATCH_MISMATCH", description: "one is missing" },
    });
    const unknown = { reason: 77 as StalledReason };
    expect(of({ case: "executionStalled", value: unknown })?.attributes).toEqual({
      reason: "77",
      description: "",
    });
  });

  test("tells of nothing else", () => {
    expect(one(historyEvent(-1, 5, { case: "workflowStarted", value: {} }))).toBeUndefined();
    const timeless = create(HistoryEventSchema, {
      eventType: { case: "executionResumed", value: {} },
    });
    expect(one(timeless)?.at).toBe(0);
  });
});

describe("what a span tells of", () => {
  const traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const traceContext = create(TraceContextSchema, { traceParent });

  function raised(count: number, hasSpan: boolean): PureInstance {
    const instance = new PureInstance({ traceContext, hasSpan });
    for (let at = 0; at < count; at += 1) {
      instance.do(raiseEvent(instance.state, { name: `e${at}`, input: undefined }, instance.now));
    }
    instance.turn([]);
    return instance;
  }

  test("is kept of executions that have one, the newest of it, and found again in history", () => {
    const instance = raised(spanEventLimit + 2, true);
    const { spanEvents } = instance.state.fold;
    expect(spanEvents).toHaveLength(spanEventLimit);
    expect(spanEvents[0]?.attributes.name).toBe("e2");
    expect(instance.refold().spanEvents).toEqual(spanEvents);
  });

  test("is not kept of others", () => {
    expect(raised(3, false).state.fold.spanEvents).toEqual([]);
  });
});
