// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEngine } from "@pawl/engine";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { verify } from "./verify.js";

let folder: string;
let printed: string[];
let complained: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-verify-"));
  printed = [];
  complained = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => printed.push(String(text)) > 0);
  vi.spyOn(process.stderr, "write").mockImplementation((text) => complained.push(String(text)) > 0);
});

afterEach(async () => {
  vi.restoreAllMocks();
  process.exitCode = 0;
  await rm(folder, { recursive: true, force: true });
});

describe("verify()", () => {
  test("prints the counts of a sound folder and leaves the exit code at 0", async () => {
    const engine = await openEngine({ dataDir: folder });
    await engine.start({ workflow: "order" });
    await engine.close();
    await verify(folder);
    expect(printed).toEqual(["1 instances, 0 events, 0 damaged, 0 index faults\n"]);
    expect(process.exitCode).toBe(0);
  });

  test("makes the indexes anew when it is told to, and verifies them", async () => {
    const engine = await openEngine({ dataDir: folder });
    await engine.start({ workflow: "order" });
    await engine.close();
    await verify(folder, { rebuildIndexes: true });
    expect(printed).toEqual(["1 instances, 0 events, 0 damaged, 0 index faults\n"]);
    expect(process.exitCode).toBe(0);
  });

  test("says in one line that there is no data", async () => {
    await verify(join(folder, "nothing"));
    expect(complained).toEqual([expect.stringMatching(/^pawl: .* has no Pawl data .*\n$/)]);
    expect(process.exitCode).toBe(1);
  });

  test("says in one line that the folder is damaged", async () => {
    const engine = await openEngine({ dataDir: folder });
    await engine.close();
    await truncate(join(folder, "pawl.json"), 3);
    await verify(folder);
    expect(complained).toEqual([expect.stringMatching(/^pawl: .* is damaged.*\n$/)]);
    expect(process.exitCode).toBe(1);
  });
});
