// SPDX-License-Identifier: Apache-2.0

import { StoredStatus } from "@pawl/protocol/store";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instanceIdFault } from "../../core/instance-id.js";
import { Row } from "../codec.js";
import type { StoreWrite } from "../store.js";
import {
  indexedId,
  indexKeysOf,
  indexKinds,
  instantKey,
  statusClass,
  statusKeys,
  textBytes,
} from "./index-key.js";
import { draftIndexes } from "./index-writes.js";

/** Texts of which one begins the other, with zero bytes, and with any character. */
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "b", "\0", "\u0001", "é"), maxLength: 4 }),
  fc.string({ unit: "grapheme", maxLength: 8 }),
);
const id = text.filter((value) => instanceIdFault(value) === undefined);
const instant = fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 2 ** 48 }));
const row: fc.Arbitrary<Row> = fc
  .record({
    workflow: text,
    status: fc.integer({ min: 1, max: 7 }),
    createdAt: instant,
    updatedAt: instant,
    parent: fc.option(id, { nil: undefined }),
    tags: fc.dictionary(text, text, { maxKeys: 3 }),
  })
  .map(({ parent, ...rest }) => {
    const made = Object.assign(new Row(), rest);
    if (parent !== undefined) made.parent = { instanceId: parent, executionId: "", taskId: 0 };
    return made;
  });

const hex = (key: Uint8Array): string => Buffer.from(key).toString("hex");

describe("index keys", () => {
  test("name their instance, whatever its texts are", () => {
    fc.assert(
      fc.property(id, row, (instanceId, value) => {
        for (const key of indexKeysOf(instanceId, value)) {
          const kind = indexKinds.find((name) => isKind(name, key));
          if (kind === undefined) throw new Error("a key of no kind");
          expect(indexedId(kind, key)).toBe(instanceId);
        }
      }),
    );
  });

  test("are all different", () => {
    fc.assert(
      fc.property(id, row, (instanceId, value) => {
        const keys = indexKeysOf(instanceId, value).map(hex);
        expect(new Set(keys).size).toBe(keys.length);
        expect(keys).toHaveLength(
          2 +
            Number(value.status >= 5) +
            Object.keys(value.tags).length +
            Number(value.parent !== undefined),
        );
      }),
    );
  });

  test("have texts in the order of their bytes, and none begins another", () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const order = Buffer.compare(Buffer.from(a, "utf8"), Buffer.from(b, "utf8"));
        expect(Buffer.compare(textBytes(a), textBytes(b))).toBe(order);
        expect(textBytes(b).subarray(0, textBytes(a).length).equals(textBytes(a))).toBe(a === b);
      }),
    );
  });

  test("have instants in their order", () => {
    fc.assert(
      fc.property(instant, instant, (a, b) => {
        const capped = [a, b].map((value) => Math.min(value, 2 ** 48 - 1));
        const order = Math.sign((capped[0] ?? 0) - (capped[1] ?? 0));
        expect(Buffer.compare(instantKey(a), instantKey(b))).toBe(order);
      }),
    );
  });

  test("do not move between pending and running", () => {
    const before = Object.assign(new Row(), { workflow: "w", status: StoredStatus.PENDING });
    const after = Object.assign(new Row(), { workflow: "w", status: StoredStatus.RUNNING });
    expect(statusKeys("a", before).map(hex)).toEqual(statusKeys("a", after).map(hex));
    expect(new Set([1, 2, 3, 4, 5, 6, 7].map(statusClass)).size).toBe(6);
  });
});

function isKind(kind: (typeof indexKinds)[number], key: Uint8Array): boolean {
  const letters = { status: "s", workflow: "w", updated: "u", parent: "p", tag: "g" };
  return String.fromCharCode(key[2] ?? 0) === letters[kind];
}

describe("draftIndexes()", () => {
  test("leaves the keys of the newest row, after any life", () => {
    fc.assert(
      fc.property(
        id,
        fc.array(fc.option(row, { nil: undefined }), { maxLength: 6 }),
        (instanceId, life) => {
          const stored = new Set<string>();
          let before: Row | undefined;
          for (const after of life) {
            const writes: StoreWrite[] = [];
            draftIndexes(instanceId, before, after, writes);
            for (const { type, key } of writes) {
              if (type === "put") stored.add(hex(key));
              else stored.delete(hex(key));
            }
            before = after;
          }
          const wanted = before === undefined ? [] : indexKeysOf(instanceId, before).map(hex);
          expect([...stored].sort()).toEqual(wanted.sort());
        },
      ),
    );
  });

  test("writes nothing when nothing that is indexed has changed", () => {
    const at = (status: StoredStatus, updatedAt: number, startedAt: number): Row =>
      Object.assign(new Row(), {
        ...{ workflow: "w", status, createdAt: 1000, updatedAt, startedAt },
        tags: { a: "b" },
      });
    const writes: StoreWrite[] = [];
    draftIndexes("a", at(1, 1000, 0), at(2, 1999, 1999), writes);
    expect(writes).toEqual([]);
    draftIndexes("a", at(2, 1999, 0), at(2, 2000, 0), writes);
    expect(writes.map(({ type }) => type)).toEqual(["del", "put"]);
  });
});
