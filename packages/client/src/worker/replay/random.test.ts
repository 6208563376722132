// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { createSeededRandom } from "./random.js";

describe("createSeededRandom()", () => {
  test("never changes what it gives for a seed", () => {
    const { random, uuid } = createSeededRandom("execution-1");
    expect([random(), uuid(), random()]).toMatchInlineSnapshot(`
      [
        0.7854427271688883,
        "4c5356fe-c75a-4e32-b3ff-fe8caa2099ed",
        0.8476697821335144,
      ]
    `);
  });

  test("gives valid and distinct UUIDs of version 4", () => {
    const { uuid } = createSeededRandom("execution-1");
    const made = Array.from({ length: 1000 }, uuid);
    expect(new Set(made).size).toBe(1000);
    for (const id of made) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  test("spreads numbers over 0 to 1", () => {
    const { random } = createSeededRandom("");
    const numbers = Array.from({ length: 10_000 }, random);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
    expect(mean).toBeCloseTo(0.5, 1);
  });

  test("gives other numbers for other seeds", () => {
    expect(createSeededRandom("a").random()).not.toBe(createSeededRandom("b").random());
  });
});
