// SPDX-License-Identifier: Apache-2.0

import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { writeEvent } from "./encode-event.js";
import { type HistoryEvent, HistoryEventSchema } from "./gen/durabletask/history_events_pb.js";
import { OrchestrationStatus } from "./gen/durabletask/orchestration_pb.js";
import { encodeWith } from "./write/shared-writer.js";

type EventType = NonNullable<
  Extract<MessageInitShape<typeof HistoryEventSchema>, { $typeName?: never }>["eventType"]
>;

const id = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const text = fc.oneof(fc.string({ maxLength: 40, unit: "binary" }), fc.constant("x".repeat(300)));
const maybe = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: undefined });
const at = fc.record({
  seconds: fc.bigInt({ min: -(2n ** 40n), max: 2n ** 40n }),
  nanos: fc.integer({ min: 0, max: 999_999_999 }),
});
const attestation = fc.constant({ payload: new Uint8Array([1]) });
const trace = fc.record({ traceParent: text });

/** Fields that are absent are left out, as in an event that was made by hand. */
function event<T>(
  kind: EventType["case"],
  value: fc.Arbitrary<T>,
): fc.Arbitrary<{ case: EventType["case"]; value: T }> {
  return value.map((fields) => ({
    case: kind,
    value: Object.fromEntries(
      Object.entries(fields as object).filter(([, field]) => field !== undefined),
    ) as T,
  }));
}

const types = fc.oneof(
  event(
    "executionStarted",
    fc.record({
      name: text,
      input: maybe(text),
      version: fc.constantFrom(undefined, undefined, "v1"),
      workflowInstance: maybe(fc.record({ instanceId: text, executionId: text })),
      scheduledStartTimestamp: fc.option(at, { nil: undefined, freq: 4 }),
      parentTraceContext: fc.option(trace, { nil: undefined, freq: 4 }),
      tags: fc.oneof(
        fc.constant({}),
        fc.dictionary(fc.string({ maxLength: 3 }), text, { maxKeys: 1 }),
      ),
    }),
  ),
  event(
    "executionCompleted",
    fc.record({
      workflowStatus: fc.constantFrom(
        OrchestrationStatus.RUNNING,
        OrchestrationStatus.COMPLETED,
        OrchestrationStatus.FAILED,
      ),
      result: maybe(text),
      failureDetails: maybe(fc.record({ errorType: text, errorMessage: text })),
    }),
  ),
  event(
    "taskScheduled",
    fc.record({
      name: text,
      input: maybe(text),
      taskExecutionId: text,
      version: fc.constantFrom(undefined, undefined, "", "v1"),
      parentTraceContext: fc.option(trace, { nil: undefined, freq: 4 }),
    }),
  ),
  event(
    "taskCompleted",
    fc.record({
      taskScheduledId: id,
      result: maybe(text),
      taskExecutionId: text,
      attestation: fc.option(attestation, { nil: undefined, freq: 8 }),
    }),
  ),
  event("timerCreated", fc.record({ fireAt: maybe(at), name: maybe(text) })),
  event(
    "timerCreated",
    fc.record({
      fireAt: at,
      origin: fc.oneof(
        fc.constant({ case: "createTimer" as const, value: {} }),
        fc.record({
          case: fc.constant("externalEvent" as const),
          value: fc.record({ name: text }),
        }),
      ),
    }),
  ),
  event("timerFired", fc.record({ fireAt: maybe(at), timerId: id })),
  event("workflowStarted", fc.record({ version: maybe(fc.record({ name: text })) })),
  event("eventRaised", fc.record({ name: text, input: maybe(text) })),
  event("executionSuspended", fc.record({ input: maybe(text) })),
  event("eventSent", fc.record({ instanceId: text, name: text })),
);

const events: fc.Arbitrary<HistoryEvent> = fc
  .record({
    eventId: id,
    timestamp: maybe(at),
    eventType: types,
    router: fc.option(fc.record({ sourceAppID: text }), { nil: undefined, freq: 8 }),
    $unknown: fc.option(fc.constant([{ no: 77, wireType: 0, data: new Uint8Array([1]) }]), {
      nil: undefined,
      freq: 8,
    }),
  })
  .map(({ $unknown, timestamp, router, ...rest }) => {
    const made = create(HistoryEventSchema, {
      ...rest,
      ...(timestamp === undefined ? {} : { timestamp }),
      ...(router === undefined ? {} : { router }),
    } as MessageInitShape<typeof HistoryEventSchema>);
    if ($unknown !== undefined) made.$unknown = [...$unknown];
    return made;
  });

function written(event: HistoryEvent): Uint8Array {
  return encodeWith(writeEvent, event);
}

describe("writeEvent()", () => {
  test("writes what the library's encoder writes, byte for byte", () => {
    fc.assert(
      fc.property(events, (event) => {
        expect(written(event)).toEqual(toBinary(HistoryEventSchema, event));
      }),
      { numRuns: 3000 },
    );
  });

  test("writes the next event whole after one that failed half way", () => {
    const wrong = create(HistoryEventSchema, {
      eventType: { case: "timerFired", value: { timerId: 2 ** 40 } },
    });
    expect(() => written(wrong)).toThrow();
    const right = create(HistoryEventSchema, { eventId: 7 });
    expect(written(right)).toEqual(toBinary(HistoryEventSchema, right));
  });
});
