// SPDX-License-Identifier: Apache-2.0

import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { plantedFaults } from "../../planted/index.ts";
import { PlantError, plant } from "./plant.ts";

const packages = resolve(import.meta.dirname, "../../../../packages");

describe("the planted faults", () => {
  test.each(plantedFaults)("$name still fits the sources", (fault) => {
    const planted = plant(packages, fault);
    if (fault.replace !== "") expect(planted).toContain(fault.replace);
  });

  test("are forty at least, each with a name of its own", () => {
    expect(plantedFaults.length).toBeGreaterThanOrEqual(40);
    expect(new Set(plantedFaults.map(({ name }) => name)).size).toBe(plantedFaults.length);
  });
});

describe("plant()", () => {
  const fault = { name: "n", breaks: "b", file: "core/status.ts", replace: "", suite: "model" };

  test("refuses text that is not there, or there more than once", () => {
    for (const search of ["no such text", "return"]) {
      expect(() => plant(packages, { ...fault, search, suite: "model" })).toThrow(PlantError);
    }
  });
});
