// SPDX-License-Identifier: Apache-2.0

import { cp, rm } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { killServer } from "./kill-server.ts";
import { describeServerKills } from "./report.ts";
import { chooseSeed, print } from "./testing/run.ts";

describe("a server that is killed again and again under load", () => {
  test("loses nothing that it acknowledged, and every workflow ends as it should", async () => {
    // Side by side: a server that starts and a caller that waits leave the processor idle.
    const seed = chooseSeed();
    const runs = [seed, seed + 1].map((each) =>
      killServer({ seed: each, kills: 102, actors: 24, lifeMs: 200, onProgress: print }),
    );
    let kills = 0;
    for (const report of await Promise.all(runs)) {
      const text = describeServerKills(report);
      print(text);
      expect(report.violations, text).toEqual([]);
      kills += report.kills.whileServing;
      // The load must have been there for a kill to be worth something.
      expect(report.ends, text).toBeGreaterThan(50);
      expect(report.calls.broken, text).toBeGreaterThan(50);
    }
    expect(kills).toBeGreaterThanOrEqual(200);
  }, 1_200_000);
});

describe("the test itself", () => {
  test("finds out when a server forgets what it acknowledged", async () => {
    const older = async (dataDir: string, kills: number): Promise<void> => {
      if (kills === 3) await cp(dataDir, `${dataDir}-older`, { recursive: true });
      if (kills !== 9) return;
      await rm(dataDir, { recursive: true });
      await cp(`${dataDir}-older`, dataDir, { recursive: true });
    };
    const report = await killServer({
      seed: chooseSeed(),
      kills: 10,
      drainMs: 5_000,
      sabotage: older,
    });
    expect(report.violations).not.toEqual([]);
    print(`the loss was found: ${report.violations.length} violations`);
  });
});
