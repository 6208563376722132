// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packEntries, unpackEntries } from "./entries.js";

const entry = fc.tuple(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ maxLength: 200_000 }));

describe("packed entries", () => {
  test("are read back as they were, in messages of a fair size", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 12 }), (entries) => {
        const messages = [...packEntries(entries)];
        const read = messages.flatMap((message) => unpackEntries(message));
        expect(read.map((pair) => pair.map((bytes) => Buffer.from(bytes)))).toEqual(
          entries.map((pair) => pair.map((bytes) => Buffer.from(bytes))),
        );
        for (const { length } of messages) expect(length).toBeLessThan(800_000);
      }),
      { numRuns: 30 },
    );
  });

  test("are refused when they are cut short", () => {
    const [message = new Uint8Array()] = packEntries([[Uint8Array.of(1), Uint8Array.of(2, 3)]]);
    for (let length = 1; length < message.length; length += 1) {
      expect(() => unpackEntries(message.subarray(0, length))).toThrow(RangeError);
    }
  });
});
