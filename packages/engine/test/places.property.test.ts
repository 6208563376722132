// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boundsOf } from "../src/runtime/read/query/bounds.js";
import type { Extent } from "../src/runtime/read/query/extents.js";
import { Places } from "../src/runtime/read/query/places.js";
import type { Plan, Run } from "../src/runtime/read/query/plan.js";
import { instantKey } from "../src/store/index/index-key.js";
import { openMemoryStore } from "../src/store/memory-store.js";
import { afterPrefix } from "../src/store/scan.js";
import { put, type Store } from "../src/store/store.js";

/** A run with what is in it: the numbers of places, and the workflow of each. */
interface Filled {
  readonly run: Run;
  readonly places: readonly { readonly number: number; readonly workflow: string }[];
}

/** Two of three have the same instant, so that ids decide, too. */
function positionOf(number: number): Buffer {
  const id = Buffer.from(`i${String(number).padStart(4, "0")}`);
  return Buffer.concat([instantKey(Math.floor(number / 3)), id]);
}

const suffixOf = (workflow: string) => Buffer.from(`\0${workflow}`);

async function storeOf(runs: readonly Filled[]): Promise<Store> {
  const store = await openMemoryStore();
  const value = Buffer.alloc(0);
  for (const { run, places } of runs) {
    const keys = places.map(({ number, workflow }) =>
      Buffer.concat([
        run.prefix,
        positionOf(number),
        run.isSuffixed === true ? suffixOf(workflow) : value,
      ]),
    );
    await store.write(keys.map((key) => put(key, value)));
  }
  return store;
}

/** Stretches of neighbours, so that streams leap over much. */
const numbers = fc
  .array(fc.tuple(fc.nat(900), fc.integer({ min: 1, max: 120 }), fc.constantFrom(1, 1, 2, 7)), {
    maxLength: 5,
  })
  .map((stretches) =>
    stretches.flatMap(([from, count, step]) =>
      Array.from({ length: count }, (_, at) => from + at * step),
    ),
  );

const run = fc.record({
  numbers,
  isSuffixed: fc.boolean(),
  wanted: fc.option(fc.constantFrom("a", "b"), { nil: undefined }),
  slack: fc.option(fc.nat(40), { nil: undefined }),
});

interface RunShape {
  readonly numbers: readonly number[];
  readonly isSuffixed: boolean;
  readonly wanted: string | undefined;
  /** Instants by which the extent that is known is too wide. */
  readonly slack: number | undefined;
}

/** Partitions of legs of runs. */
type Shape = readonly (readonly (readonly RunShape[])[])[];

const shape: fc.Arbitrary<Shape> = fc.array(
  fc.array(fc.array(run, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 3 }),
  { minLength: 1, maxLength: 2 },
);

/** Gives each run a prefix, and each partition and run of a leg places of its own, as in a store. */
function fill(parts: Shape): Filled[][][] {
  let prefix = 0;
  return parts.map((legs, part) =>
    legs.map((runs) => {
      const taken = new Set<number>();
      return runs.map(({ numbers: all, isSuffixed, wanted, slack }): Filled => {
        prefix += 1;
        const own = [...new Set(all)].filter((one) => one % parts.length === part);
        const fresh = own.filter((one) => !taken.has(one));
        for (const one of fresh) taken.add(one);
        const bytes = Buffer.from([7, prefix]);
        const workflows = wanted === undefined ? {} : { workflows: [suffixOf(wanted)] };
        const suffixed = isSuffixed ? { isSuffixed, ...workflows } : {};
        const known = slack === undefined ? {} : { extent: extentOf(fresh, slack) };
        const end = afterPrefix(bytes);
        return {
          run: { prefix: bytes, low: Buffer.alloc(0), end, ...suffixed, ...known },
          places: fresh.map((number) => ({ number, workflow: number % 5 < 3 ? "a" : "b" })),
        };
      });
    }),
  );
}

/** An extent that has the instants of all these places. */
function extentOf(all: readonly number[], slack: number): Extent {
  const instants = all.map((number) => Math.floor(number / 3));
  return { first: Math.min(...instants, 300) - slack, last: Math.max(...instants, 0) + slack };
}

/** What a run lets through. */
function numbersIn({ run: { workflows }, places }: Filled): number[] {
  return places
    .filter(({ workflow }) => workflows?.some((one) => one.equals(suffixOf(workflow))) ?? true)
    .map(({ number }) => number);
}

function planOf(parts: readonly (readonly (readonly Filled[])[])[]): Plan {
  return {
    order: "created",
    bounds: boundsOf({ all: [] }),
    parts: parts.map((legs) => legs.map((leg) => leg.map((one) => one.run))),
    idAt: String,
  };
}

/** A leg of one run. */
function leg(prefix: number, all: readonly number[]): Filled {
  const bytes = Buffer.from([7, prefix]);
  return {
    run: { prefix: bytes, low: Buffer.alloc(0), end: afterPrefix(bytes) },
    places: all.map((number) => ({ number, workflow: "a" })),
  };
}

describe("Places", () => {
  test("has what all legs of a partition have, in order, from anywhere on", async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(
        shape,
        fc.boolean(),
        fc.option(fc.nat(900), { nil: undefined }),
        fc.integer({ min: 1, max: 300 }),
        async (parts, descending, last, pageSize) => {
          const filled = fill(parts);
          const store = await storeOf(filled.flat(2));
          const expected = filled
            .flatMap((legs) => {
              const sets = legs.map((leg) => new Set(leg.flatMap(numbersIn)));
              return [...(sets[0] ?? [])].filter((one) => sets.every((set) => set.has(one)));
            })
            .filter((one) => last === undefined || (descending ? one < last : one > last))
            .sort((a, b) => (descending ? b - a : a - b));
          const after = last === undefined ? undefined : positionOf(last);
          const options = { descending, after, pageSize };
          const places = new Places(store, planOf(filled), options);
          await places.open();
          const seen: Buffer[] = [];
          let before: Buffer | undefined;
          while (!places.isAtEnd()) {
            for (const { position, isHollow } of await places.take(7)) {
              const sign = before === undefined ? 0 : Buffer.compare(before, position);
              expect(descending ? sign : -sign).toBeGreaterThanOrEqual(0);
              before = position;
              if (!isHollow) seen.push(position);
            }
          }
          expect(seen).toEqual(expected.map(positionOf));
          found += seen.length;
          await store.close();
        },
      ),
      { numRuns: 400 },
    );
    expect(found).toBeGreaterThan(5_000);
  });

  test("loses no place after many leaps in vain", async () => {
    const even = Array.from({ length: 120 }, (_, at) => 2 * at);
    for (const common of even) {
      const odd = even.map((number) => number + 1);
      const legs = [[leg(1, even)], [leg(2, [...odd, common])]];
      const store = await storeOf(legs.flat());
      const options = { descending: common % 4 === 0, after: undefined, pageSize: 10 };
      const places = new Places(store, planOf([legs]), options);
      await places.open();
      const taken = await places.take(1_000);
      const seen = taken.flatMap(({ position, isHollow }) => (isHollow ? [] : [position]));
      expect(seen).toEqual([positionOf(common)]);
      await store.close();
    }
  });

  test("leaps over what only one of two legs has", async () => {
    const many = leg(
      1,
      Array.from({ length: 5_000 }, (_, at) => at),
    );
    const few = leg(2, [3, 2_000, 4_999, 6_000]);
    const store = await storeOf([many, few]);
    for (const legs of [
      [[many], [few]],
      [[few], [many]],
    ]) {
      let reads = 0;
      const counted = {
        get: (key: Uint8Array) => store.get(key),
        range(range: Parameters<Store["range"]>[0]) {
          reads += 1;
          return store.range(range);
        },
      };
      const options = { descending: false, after: undefined, pageSize: 10 };
      const places = new Places(counted, planOf([legs]), options);
      await places.open();
      const taken = (await places.take(100)).filter(({ isHollow }) => !isHollow);
      expect(taken.map(({ position }) => position)).toEqual([3, 2_000, 4_999].map(positionOf));
      expect(reads).toBeLessThan(12);
    }
    await store.close();
  });
});
