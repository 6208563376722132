// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TaskMap } from "./task-map.js";

const step = fc.record({
  what: fc.constantFrom("set", "delete", "clear"),
  id: fc.nat({ max: 4 }),
});

describe("TaskMap", () => {
  test("holds what a Map holds, whatever comes and goes", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const tasks = new TaskMap<{ readonly id: number }>();
        const model = new Map<number, { readonly id: number }>();
        for (const { what, id } of steps) {
          const value = { id };
          if (what === "clear") {
            tasks.clear();
            model.clear();
          } else if (what === "delete") {
            expect(tasks.delete(id)).toBe(model.delete(id));
          } else if (!model.has(id)) {
            tasks.set(id, value);
            model.set(id, value);
          }
          expect(tasks.size).toBe(model.size);
          expect(tasks.get(id)).toBe(model.get(id));
          expect(tasks.map((held, key) => [key, held])).toEqual([...model]);
        }
      }),
    );
  });
});
