// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { chooseSeed, print } from "../testing/run.ts";
import { describePowerCuts } from "./describe.ts";
import { policies } from "./power/image.ts";
import { cutPower } from "./power-cut.ts";

const canTrace = spawnSync("strace", ["-f", "--seccomp-bpf", "true"]).status === 0;
// CI installs it; elsewhere the reason is shown.
if (!canTrace && process.env.CI === "true") throw new Error("strace is missing, or may not trace");

describe.skipIf(!canTrace)("a power cut (needs strace)", () => {
  test("loses nothing that was acknowledged, at whatever moment, whatever was not synced", async () => {
    const report = await cutPower({
      seed: chooseSeed(),
      images: 504,
      instances: 160,
      onProgress: print,
    });
    const text = describePowerCuts(report);
    print(text);
    expect(report.violations, text).toEqual([]);
    expect(report.acknowledgements, text).toBeGreaterThan(300);
    for (const policy of policies) {
      const { opened = 0, refused = new Map<string, number>() } = report.outcomes.get(policy) ?? {};
      // Only where a file system forgets any changes of names may a folder be refused.
      if (policy !== "any folder changes lost") expect([...refused], text).toEqual([]);
      expect([...refused.keys()].filter((code) => code !== "STORE_DAMAGED")).toEqual([]);
      expect(opened, text).toBeGreaterThan(70);
    }
  });

  test("is noticed by this test when syncs have no effect", async () => {
    const report = await cutPower({
      seed: chooseSeed(),
      images: 30,
      instances: 60,
      ignoreSyncs: true,
    });
    const losses = report.violations.filter(({ rule }) => rule.includes("acknowledged"));
    print(`without syncs: ${losses.length} losses`);
    expect(losses.length).toBeGreaterThan(10);
  });
});
