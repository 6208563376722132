// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { planCases, systems } from "./plan.js";
import type { Report } from "./report/report.js";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));

test("a quick run measures every case of Pawl's own, and says nothing about speed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pawl-bench-test-"));
  const out = join(folder, "report.json");
  try {
    const flags = ["--quick", "--large", "--no-peers", "--out", out];
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...flags]);
    const report: Report = JSON.parse(await readFile(out, "utf8"));

    expect(report.skipped).toEqual({});
    const own = planCases(true).filter(({ system }) => systems[system].needs === undefined);
    expect(report.results).toHaveLength(own.length);
    expect(report.results.every(({ rounds }) => rounds.length === 1)).toBe(true);
    expect(stdout).toContain("embedded chain at 256: times Restate");
    const again = await promisify(execFile)(process.execPath, [program, "--print", out]);
    // Figures may differ in their last digit: the file has them rounded.
    expect(again.stdout.split("\n").length).toBe(stdout.split("\n").length);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 180_000);
