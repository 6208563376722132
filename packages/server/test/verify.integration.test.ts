// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEngine } from "@pawl/engine";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { verify } from "../src/command/verify.js";
import { keepTerminal } from "./terminal.js";

const terminal = keepTerminal();
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-verify-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("verify()", () => {
  test("prints the counts of a sound folder and leaves the exit code at 0", async () => {
    const engine = await openEngine({ dataDir: folder });
    await engine.start({ workflow: "order" });
    await engine.close();
    await verify(folder);
    expect(terminal.printed).toEqual(["1 instances, 0 events, 0 damaged, 0 index faults\n"]);
    expect(process.exitCode).toBe(0);
  });

  test("makes the indexes anew when it is told to, and verifies them", async () => {
    const engine = await openEngine({ dataDir: folder });
    await engine.start({ workflow: "order" });
    await engine.close();
    await verify(folder, { rebuildIndexes: true });
    expect(terminal.printed).toEqual(["1 instances, 0 events, 0 damaged, 0 index faults\n"]);
    expect(process.exitCode).toBe(0);
  });

  test("says in one line that there is no data", async () => {
    await verify(join(folder, "nothing"));
    expect(terminal.complained).toEqual([
      expect.stringMatching(/^pawl: .* has no Pawl data .*\n$/),
    ]);
    expect(process.exitCode).toBe(1);
  });

  test("says in one line that the folder is damaged", async () => {
    const engine = await openEngine({ dataDir: folder });
    await engine.close();
    await truncate(join(folder, "pawl.json"), 3);
    await verify(folder);
    expect(terminal.complained).toEqual([expect.stringMatching(/^pawl: .* is damaged.*\n$/)]);
    expect(process.exitCode).toBe(1);
  });
});
