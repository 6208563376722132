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
      expect(report.outcomes.get(policy)?.opened, text).toBeGreaterThan(70);
    }
  });

  test("is noticed when syncs have no effect: folders are refused, or lack what was told", async () => {
    const report = await cutPower({
      seed: chooseSeed(),
      images: 60,
      instances: 60,
      ignoreSyncs: true,
    });
    const wrong = new Set(report.violations.map(({ rule }) => rule.split(":")[0]));
    // These may be refused, and are not among the violations then.
    const { refused } = report.outcomes.get("any folder changes lost") ?? {};
    const noticed = wrong.size + (refused?.get("STORE_DAMAGED") ?? 0);
    print(`without syncs: ${noticed} of 60 images refused, or with losses`);
    // Ten keep everything, and some are of moments before the first acknowledgement.
    expect(noticed).toBeGreaterThan(12);
  });
});
