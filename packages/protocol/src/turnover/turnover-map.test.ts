// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TurnoverMap } from "./turnover-map.js";

const key = fc.integer({ min: 0, max: 9 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("set" as const), key }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("delete" as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("clear" as const), key }) },
);

describe("TurnoverMap", () => {
  test("does what a Map does", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const map = new TurnoverMap<number, object | undefined>();
        const model = new Map<number, object | undefined>();
        for (const [index, { do: what, key }] of steps.entries()) {
          if (what === "set") {
            const value = index % 7 === 0 ? undefined : { index };
            map.set(key, value);
            model.set(key, value);
          } else if (what === "delete") expect(map.delete(key)).toBe(model.delete(key));
          else {
            map.clear();
            model.clear();
          }
          expect(map.size).toBe(model.size);
          expect([...map]).toEqual([...model]);
          expect([...map.keys()]).toEqual([...model.keys()]);
          expect([...map.values()]).toEqual([...model.values()]);
          expect(map.get(key)).toBe(model.get(key));
          expect(map.has(key)).toBe(model.has(key));
        }
      }),
    );
  });

  test("lets entries be deleted while it is gone through", () => {
    const map = new TurnoverMap<string, number>();
    for (const [at, letter] of ["a", "b", "c", "d"].entries()) map.set(letter, at);
    const seen: number[] = [];
    for (const [letter, value] of map) {
      seen.push(value);
      map.delete(letter);
      if (letter === "b") map.delete("c");
    }
    expect(seen).toEqual([0, 1, 3]);
    expect(map.size).toBe(0);
  });
});
