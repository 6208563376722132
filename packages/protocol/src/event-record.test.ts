// SPDX-License-Identifier: Apache-2.0

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeFrames, EventRecord, encodeFrames, skipFrames } from "./event-record.js";
import { HistoryEventSchema } from "./gen/durabletask/history_events_pb.js";
import { WorkflowRequestSchema } from "./gen/durabletask/orchestrator_service_pb.js";
import { historyEvent } from "./history.js";

function raised(name: string, input = ""): EventRecord {
  return EventRecord.of(historyEvent(-1, 5, { case: "eventRaised", value: { name, input } }));
}

const records = fc
  .array(fc.tuple(fc.string({ maxLength: 8 }), fc.string({ maxLength: 300 })), { maxLength: 12 })
  .map((pairs) => pairs.map(([name, input]) => raised(name, input)));

describe("EventRecord", () => {
  test("gives the event that it was made of", () => {
    const event = historyEvent(3, 5, { case: "taskScheduled", value: { name: "charge" } });
    expect(EventRecord.of(event).event).toBe(event);
  });

  test("gives the bytes that it was made of, and does not decode them for that", () => {
    const bytes = Uint8Array.of(0xff, 0xff);
    expect(EventRecord.fromBytes(bytes).bytes).toBe(bytes);
  });

  test("encodes and decodes once", () => {
    const record = raised("a");
    expect(record.bytes).toBe(record.bytes);
    const decoded = EventRecord.fromBytes(record.bytes);
    expect(decoded.event).toBe(decoded.event);
    expect(decoded.event).toEqual(record.event);
  });

  test("is in Durable Task's wire form", () => {
    const record = raised("a");
    expect(fromBinary(HistoryEventSchema, record.bytes)).toEqual(record.event);
    expect(record.bytes).toEqual(toBinary(HistoryEventSchema, record.event));
  });

  test("throws for bytes that are no event", () => {
    expect(() => EventRecord.fromBytes(Uint8Array.of(0xff, 0xff)).event).toThrow();
  });
});

describe("frames", () => {
  test("are read back as they were", () => {
    fc.assert(
      fc.property(records, (written) => {
        const read = decodeFrames(encodeFrames(written));
        expect(read.map((record) => record.event)).toEqual(written.map((record) => record.event));
      }),
    );
  });

  test("are the past events of a Durable Task request", () => {
    fc.assert(
      fc.property(records, (written) => {
        const pastEvents = written.map((record) => record.event);
        const request = toBinary(
          WorkflowRequestSchema,
          create(WorkflowRequestSchema, { pastEvents }),
        );
        expect(Buffer.compare(encodeFrames(written), request)).toBe(0);
      }),
    );
  });

  test("of two lists, one after the other, are those of the joined list", () => {
    fc.assert(
      fc.property(records, records, (a, b) => {
        const joined = Buffer.concat([encodeFrames(a), encodeFrames(b)]);
        expect(Buffer.compare(joined, encodeFrames([...a, ...b]))).toBe(0);
      }),
    );
  });

  test("can be skipped one by one", () => {
    fc.assert(
      fc.property(records, fc.nat({ max: 14 }), (written, count) => {
        const rest = skipFrames(encodeFrames(written), count);
        expect(Buffer.compare(rest, encodeFrames(written.slice(count)))).toBe(0);
      }),
    );
  });

  test("are refused when they are something else", () => {
    expect(() => decodeFrames(Uint8Array.of(0x22, 0x00))).toThrow(RangeError);
    expect(() => decodeFrames(Uint8Array.of(0x18, 0x01))).toThrow(RangeError);
  });

  test("are refused when they are cut short", () => {
    const frames = encodeFrames([raised("a", "some input")]);
    expect(() => decodeFrames(frames.subarray(0, frames.length - 1))).toThrow();
  });
});
