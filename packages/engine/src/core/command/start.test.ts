// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { TraceContextSchema } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { complete, timer } from "../../../test/actions.js";
import { PureInstance, startFacts } from "../../../test/pure-instance.js";
import { start } from "./start.js";

describe("start()", () => {
  test("puts the start into the inbox of a first generation", () => {
    const outcome = start(undefined, startFacts({ input: '"x"', tags: { a: "b" } }), 7);
    expect(outcome.beginning).toEqual({
      instanceId: "order-1",
      generation: 1,
      workflow: "order",
      executionId: "execution-1",
      createdAt: 7,
      startAt: 0,
      parent: undefined,
      tags: { a: "b" },
      continued: false,
    });
    expect(outcome.accepted[0]?.event).toMatchObject({
      eventId: -1,
      eventType: {
        case: "executionStarted",
        value: {
          name: "order",
          input: '"x"',
          workflowInstance: { instanceId: "order-1", executionId: "execution-1" },
          tags: { a: "b" },
        },
      },
    });
  });

  test("leaves out what was not given", () => {
    const [record] = start(undefined, startFacts(), 7).accepted;
    const started = record?.event.eventType.value;
    expect(started).not.toHaveProperty("input");
    expect(started).not.toHaveProperty("scheduledStartTimestamp");
    expect(started).not.toHaveProperty("parentTraceContext");
  });

  test("carries the instant of a delayed start and the caller's trace", () => {
    const traceContext = create(TraceContextSchema, { traceParent: "00-a-b-01" });
    const outcome = start(undefined, startFacts({ startAt: 61_500, traceContext }), 7);
    expect(outcome.beginning?.startAt).toBe(61_500);
    expect(outcome.accepted[0]?.event.eventType.value).toMatchObject({
      scheduledStartTimestamp: { seconds: 61n, nanos: 500_000_000 },
      parentTraceContext: { traceParent: "00-a-b-01" },
    });
  });

  test("refuses the id of an instance that has not ended", () => {
    const { state } = PureInstance.after([timer(0, 5000)]);
    expect(() => start(state, startFacts(), 9)).toThrow(
      expect.objectContaining({ code: "INSTANCE_EXISTS", details: { instanceId: "order-1" } }),
    );
  });

  test("starts an ended instance anew, as the next generation", () => {
    const { state } = PureInstance.after([complete(0)]);
    expect(start(state, startFacts(), 9).beginning?.generation).toBe(2);
  });

  test("refuses the id of an ended instance with a child that goes on", () => {
    const { state } = PureInstance.after([complete(0)]);
    expect(() => start(state, startFacts({ activeChild: "pay-1" }), 9)).toThrow(
      expect.objectContaining({
        code: "INSTANCE_EXISTS",
        message: expect.stringContaining("child workflow 'pay-1' has not ended"),
      }),
    );
  });

  test("refuses the id of an ended instance when ids are to be unique", () => {
    const { state } = PureInstance.after([complete(0)]);
    expect(() => start(state, startFacts({ enforceUniqueInstanceId: true }), 9)).toThrow(
      expect.objectContaining({ code: "INSTANCE_EXISTS" }),
    );
    expect(() => start(undefined, startFacts({ enforceUniqueInstanceId: true }), 9)).not.toThrow();
  });
});
