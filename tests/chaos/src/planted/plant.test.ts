// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { plantedFaults } from "../../planted/index.ts";
import { PlantError, plant } from "./plant.ts";
import { firstFinding } from "./planted.ts";
import { readResults, tableOf } from "./results.ts";

const packages = resolve(import.meta.dirname, "../../../../packages");

describe("the planted faults", () => {
  test.each(plantedFaults)("$name still fits the sources", (fault) => {
    const planted = plant(packages, fault);
    if (fault.replace !== "") expect(planted).toContain(fault.replace);
  });

  test("of a package's own tests name files of theirs", () => {
    const folders = { engine: ["src", "test"], server: ["src", "test"] } as const;
    for (const { name, suite, tests = [] } of plantedFaults) {
      if (suite !== "engine" && suite !== "server") continue;
      const files = folders[suite].flatMap((folder) =>
        readdirSync(join(packages, suite, folder), { encoding: "utf8", recursive: true }),
      );
      const missing = tests.filter(
        (part) => !files.some((file) => file.endsWith(".test.ts") && file.includes(part)),
      );
      expect(missing, name).toEqual([]);
    }
  });

  test("have been caught, each, and the reliability page says so", () => {
    const results = readResults();
    const caught = results.filter(({ caughtBy }) => caughtBy !== undefined);
    expect(caught.map(({ name }) => name)).toEqual(plantedFaults.map(({ name }) => name));
    const page = readFileSync(resolve(packages, "../docs/reliability.md"), "utf8");
    expect(page).toContain(tableOf(results));
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

describe("a finding", () => {
  test("is what a suite says is wrong, and no suite that is not there", () => {
    expect(firstFinding("engine", "No test files found, exiting with code 1")).toBe(undefined);
    expect(firstFinding("engine", "x\n FAIL  a.test.ts > is right\n")).toBe("a.test.ts > is right");
    expect(firstFinding("simulation", "seed 7 fails: one end: s0\n")).toBe("seed 7: one end: s0");
    expect(firstFinding("model", "TypeError: it cannot be read\n")).toBe(undefined);
    expect(firstFinding("power", "violations: 2\n  cut at 3: lost\n")).toBe("cut at 3: lost");
    expect(firstFinding("full", "violations: 0\n")).toBe(undefined);
    const assertion =
      "node: ../deps/leveldb/format.h:99: Slice Key(): Assertion `size >= 8' failed.";
    expect(firstFinding("damage", assertion)).toBe("Assertion `size >= 8' failed.");
    expect(firstFinding("power", assertion)).toBe(undefined);
    const refused = "cut at 3: /tmp/pawl-power-x1Y/data-4 has no pawl.json";
    expect(firstFinding("power", `violations: 1\n  ${refused}\n`)).toBe(
      "cut at 3: data-4 has no pawl.json",
    );
  });
});
