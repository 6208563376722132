// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CollectedBytes } from "./collected-bytes.js";

describe("CollectedBytes", () => {
  test("has what came, whatever its pieces were, and leaves these as they are", () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 40 });
    fc.assert(
      fc.property(pieces, (all) => {
        const given = all.map((piece) => Buffer.from(piece));
        const collected = new CollectedBytes();
        for (const piece of given) collected.add(piece);
        const wanted = Buffer.concat(all);
        expect(collected.sizeBytes).toBe(wanted.byteLength);
        expect(collected.joined().equals(wanted)).toBe(true);
        expect(given.every((piece, at) => piece.equals(all[at] ?? new Uint8Array()))).toBe(true);
      }),
    );
  });

  test("takes no more than twice the memory of single bytes", () => {
    const collected = new CollectedBytes();
    for (let count = 1; count <= 10_000; count += 1) {
      collected.add(Buffer.alloc(1, count));
      expect(collected.joined().buffer.byteLength).toBeLessThanOrEqual(Math.max(2 * count, 1));
    }
    expect(collected.joined().every((byte, at) => byte === (at + 1) % 256)).toBe(true);
  });

  test("keeps a single piece without a copy", () => {
    const collected = new CollectedBytes();
    const piece = Buffer.from("whole");
    collected.add(piece);
    expect(collected.joined().buffer).toBe(piece.buffer);
  });

  test("has nothing at first, and nothing after it was cleared", () => {
    const collected = new CollectedBytes();
    expect(collected.joined()).toHaveLength(0);
    collected.add(Buffer.from("a"));
    collected.add(Buffer.from("b"));
    collected.clear();
    expect(collected.joined()).toHaveLength(0);
    collected.add(Buffer.from("c"));
    expect(collected.joined().toString()).toBe("c");
  });
});
