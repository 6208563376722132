// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromTimestamp, historyEvent, toTimestamp } from "./history.js";

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
});
