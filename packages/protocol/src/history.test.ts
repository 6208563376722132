// SPDX-License-Identifier: Apache-2.0

import { create, toJson } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  HistoryEventSchema,
  TimerOriginCreateTimerSchema,
} from "./gen/durabletask/history_events_pb.js";
import {
  fromTimestamp,
  type HistoryEventType,
  historyEvent,
  nearestTimestamp,
  toNearestTimestamp,
  toTimestamp,
} from "./history.js";

const text = fc.option(fc.string({ maxLength: 5 }), { nil: undefined });
const trace = fc.option(fc.constant({ traceParent: "t" }), { nil: undefined, freq: 3 });
/** As a message, and as what a message is made of. */
const fireAt = fc.constantFrom(
  undefined,
  toTimestamp(1500),
  create(TimestampSchema, { seconds: 7n }),
  { seconds: 7n, nanos: 1 },
);
const origin = fc.constantFrom(
  { case: undefined },
  { case: "createTimer", value: {} },
  { case: "createTimer", value: create(TimerOriginCreateTimerSchema) },
  { case: "externalEvent", value: { name: "e" } },
);
const fieldsOf = {
  workflowStarted: { version: fc.option(fc.constant({ name: "v" }), { nil: undefined }) },
  executionStarted: {
    name: text,
    input: text,
    workflowInstance: fc.option(fc.record({ instanceId: text, executionId: text }), {
      nil: undefined,
    }),
    tags: fc.option(fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 }), { nil: undefined }),
    parentTraceContext: trace,
  },
  taskScheduled: { name: text, input: text, taskExecutionId: text, parentTraceContext: trace },
  taskCompleted: {
    taskScheduledId: fc.integer(),
    result: text,
    taskExecutionId: text,
    signerCertificate: fc.option(fc.constant(new Uint8Array([1])), { nil: undefined }),
  },
  executionCompleted: {
    workflowStatus: fc.constantFrom(undefined, 1, 3),
    result: text,
    failureDetails: fc.option(fc.constant({ errorType: "e" }), { nil: undefined }),
  },
  eventRaised: { name: text, input: text },
  timerCreated: { fireAt, name: text, origin },
  timerFired: { fireAt, timerId: fc.integer() },
  executionSuspended: { input: text },
};

/** Types of events with some of their fields, some of them absent, some undefined. */
const types = fc
  .constantFrom(...Object.entries(fieldsOf))
  .chain(([kind, fields]) =>
    fc
      .record(fields as Record<string, fc.Arbitrary<unknown>>, { requiredKeys: [] })
      .map((value) => ({ case: kind, value }) as HistoryEventType),
  );

describe("instants", () => {
  test.each([
    [0, 0n, 0],
    [1, 0n, 1_000_000],
    [999, 0n, 999_000_000],
    [1000, 1n, 0],
    [-1, -1n, 999_000_000],
    [253_402_300_799_999, 253_402_300_799n, 999_000_000],
  ])("%i ms are %i s and %i ns", (atMs, seconds, nanos) => {
    expect(toTimestamp(atMs)).toMatchObject({ seconds, nanos });
    expect(fromTimestamp(toTimestamp(atMs))).toBe(atMs);
  });

  test("are the same after a round trip", () => {
    const instant = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
    fc.assert(
      fc.property(instant, (atMs) => {
        const timestamp = toTimestamp(atMs);
        expect(fromTimestamp(timestamp)).toBe(atMs);
        expect(timestamp.nanos).toBeGreaterThanOrEqual(0);
        expect(timestamp.nanos).toBeLessThan(1_000_000_000);
      }),
    );
  });

  test("are rounded up, so that nothing is due too early", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 4_102_444_800 }),
        fc.nat({ max: 999_999_999 }),
        (seconds, nanos) => {
          const exactNs = BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
          const atMs = fromTimestamp(create(TimestampSchema, { seconds: BigInt(seconds), nanos }));
          const lateNs = BigInt(atMs) * 1_000_000n - exactNs;
          expect(lateNs >= 0n && lateNs < 1_000_000n).toBe(true);
        },
      ),
    );
  });
});

describe("historyEvent()", () => {
  test("makes an event with its id, instant and type", () => {
    const event = historyEvent(3, 1500, { case: "taskScheduled", value: { name: "charge" } });
    expect(event).toMatchObject({
      eventId: 3,
      timestamp: { seconds: 1n, nanos: 500_000_000 },
      eventType: { case: "taskScheduled", value: { name: "charge" } },
    });
  });

  test("makes the message that the library makes", () => {
    fc.assert(
      fc.property(types, (eventType) => {
        const made = create(HistoryEventSchema, {
          eventId: -1,
          timestamp: create(TimestampSchema, { seconds: 2n, nanos: 1_000_000 }),
          eventType,
        });
        // Field by field: it is of a class of its own.
        const event = historyEvent(-1, 2001, eventType);
        expect({ ...event, timestamp: { ...event.timestamp } }).toStrictEqual(made);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("nearestTimestamp()", () => {
  const first = { seconds: -62_135_596_800n, nanos: 0 };
  const last = { seconds: 253_402_300_799n, nanos: 999_999_999 };

  test.each([
    [first, first],
    [last, last],
    [{ seconds: -62_135_596_801n, nanos: 5 }, first],
    [{ seconds: 253_402_300_800n, nanos: 0 }, last],
    [{ seconds: 2n ** 63n - 1n, nanos: 0 }, last],
    [
      { seconds: 5n, nanos: -1 },
      { seconds: 5n, nanos: 0 },
    ],
    [
      { seconds: 5n, nanos: 1_000_000_000 },
      { seconds: 5n, nanos: 999_999_999 },
    ],
  ])("makes %o one that JSON can say", (given, nearest) => {
    const found = nearestTimestamp(create(TimestampSchema, given));
    expect(found).toMatchObject(nearest);
    expect(() => toJson(TimestampSchema, found)).not.toThrow();
  });

  test("is that of an instant", () => {
    expect(toNearestTimestamp(1500)).toEqual(toTimestamp(1500));
    expect(toNearestTimestamp(8.64e15)).toMatchObject(last);
    expect(toNearestTimestamp(-8.64e15)).toMatchObject(first);
    expect(() => toNearestTimestamp(Number.NaN)).toThrow("cannot encode NaN as a time");
  });
});
