// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { Level } from "level";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "../abstract-store.js";
import { del, put } from "../store.js";
import { listTables } from "./inspect.js";
import { type TableFact, userKey } from "./manifest.js";
import type { TableEntry } from "./table-block.js";
import { readBlocks } from "./table-file.js";
import { scanBlocks, type TableBlock } from "./table-scan.js";

/** A table as LevelDB has written it, and what its index leads to. */
interface Table {
  readonly bytes: Buffer;
  readonly fact: TableFact;
  readonly entries: readonly TableEntry[];
}

/** Short and long values, some of which Snappy makes shorter; many writes of one key. */
function makeValue(number: number): Buffer {
  const length = number % 37 === 0 ? 9000 : (number * 37) % 300;
  return number % 3 === 0 ? randomBytes(length) : Buffer.alloc(length, `${number} `);
}

/** Writes deleted keys, and several values of each other, into a table. */
async function writeTable(folder: string, compression: boolean, prefix: string): Promise<Table> {
  const db: Database = new Level<Uint8Array, Uint8Array>(folder, {
    keyEncoding: "buffer",
    valueEncoding: "buffer",
    compression,
  });
  await db.open();
  for (let round = 0; round < 3; round += 1) {
    const writes = Array.from({ length: 300 }, (_, index) => {
      const key = Buffer.from(`${prefix}${(index * (round + 3)) % 170}.${"k".repeat(index % 90)}`);
      return index % 11 === 0 ? del(key) : put(key, makeValue(index + round));
    });
    await db.batch(writes);
  }
  // What a log has, older values and all, becomes a table when it is opened again.
  await db.close();
  await db.open();
  await db.close();
  const [table, ...others] = await listTables(folder);
  expect(others).toEqual([]);
  const { name, fact } = table ?? expect.unreachable();
  const path = join(folder, name);
  const entries: TableEntry[] = [];
  for await (const block of readBlocks(path, fact)) entries.push(...(block.entries ?? []));
  return { bytes: await readFile(path), fact, entries };
}

function scan(bytes: Buffer, fact: TableFact): { found: TableEntry[]; rest: TableBlock[] } {
  const blocks = [...scanBlocks(bytes, fact)];
  return {
    found: blocks.flatMap(({ entries }) => entries ?? []),
    rest: blocks.filter(({ isRest }) => isRest),
  };
}

/** What was not found is told to be missing, and what was found is as it was written. */
function expectHonest({ fact, entries }: Table, harmed: Buffer): void {
  const { found, rest } = scan(harmed, fact);
  expect(firstDifference(found, entries)).toBe(-1);
  const missing = entries.slice(found.length);
  if (rest.length === 0) {
    const last = found.at(-1)?.key ?? expect.unreachable();
    expect(missing.every(({ key }) => Buffer.compare(key, last) === 0)).toBe(true);
    return;
  }
  expect(rest).toHaveLength(1);
  const [{ after = new Uint8Array(), upTo }] = [rest[0] ?? expect.unreachable()];
  for (const { key } of missing) {
    const isOld = found.length > 0 && Buffer.compare(key, found.at(-1)?.key ?? key) === 0;
    expect(isOld || (Buffer.compare(key, after) > 0 && Buffer.compare(key, upTo) <= 0)).toBe(true);
  }
}

/** Where the entries that were found are others than those that were written. */
function firstDifference(found: readonly TableEntry[], entries: readonly TableEntry[]): number {
  return found.findIndex(({ key, value }, index) => {
    const written = entries[index];
    if (written === undefined || Buffer.compare(key, written.key) !== 0) return true;
    if (value === undefined || written.value === undefined) return value !== written.value;
    return Buffer.compare(value, written.value) !== 0;
  });
}

const folder = mkdtempSync(join(tmpdir(), "pawl-scan-"));

afterAll(() => rm(folder, { recursive: true }));

describe.each([true, false])("a table without its index (compressed: %s)", (compression) => {
  let table: Table;

  beforeAll(async () => {
    table = await writeTable(join(folder, String(compression)), compression, "a");
  });

  /** A place in thousandths of the file, and how many bytes behind it. */
  const place = fc
    .tuple(fc.integer({ min: 0, max: 1000 }), fc.nat(300))
    .map(([share, bytes]) => ({ share, bytes }));

  const placeIn = ({ share, bytes }: { share: number; bytes: number }): number =>
    Math.min(table.bytes.length - 1, Math.floor((table.bytes.length * share) / 1000) + bytes);

  test("has all its entries", () => {
    const { bytes, fact, entries } = table;
    const { found, rest } = scan(bytes, fact);
    expect(firstDifference(found, entries)).toBe(-1);
    expect(found.length).toBe(entries.length);
    expect(entries.length).toBeGreaterThan(500);
    expect(rest).toEqual([]);
  });

  test("has nothing wrong where it is cut short, and says what it lacks", () => {
    fc.assert(
      fc.property(place, (at) => expectHonest(table, table.bytes.subarray(0, placeIn(at)))),
    );
  });

  test("has nothing wrong where a bit has changed, and says what it lacks", () => {
    fc.assert(
      fc.property(place, fc.nat(7), (at, bit) => {
        const harmed = Buffer.from(table.bytes);
        harmed[placeIn(at)] = (harmed[placeIn(at)] ?? 0) ^ (1 << bit);
        expectHonest(table, harmed);
      }),
    );
  });

  test("has nothing wrong where bytes are zeros or noise, and says what it lacks", () => {
    fc.assert(
      fc.property(place, fc.nat(20_000), fc.boolean(), (at, length, isNoise) => {
        const harmed = Buffer.from(table.bytes);
        const [from, to] = [placeIn(at), Math.min(harmed.length, placeIn(at) + length)];
        harmed.fill(isNoise ? randomBytes(to - from + 1) : 0, from, to);
        expectHonest(table, harmed);
      }),
    );
  });

  test("is not taken for another one that lies in its place", async () => {
    const other = await writeTable(join(folder, `${compression} other`), compression, "b");
    const { found, rest } = scan(table.bytes, other.fact);
    expect(found).toEqual([]);
    expect(rest).toMatchObject([{ offset: 0, upTo: userKey(other.fact.last) }]);
  });
});
