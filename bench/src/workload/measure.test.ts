// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import { expect, test } from "vitest";
import { measure, type Work } from "./measure.js";

const window = { warmUpMs: 1, measureMs: 1 };

/** Work that ends at the next turn of the event loop. */
function fakeWork(rest: Partial<Work> = {}): Work & { runs: number } {
  const work = {
    runs: 0,
    itemsPerRun: 1,
    runsAtOnce: 1,
    async run() {
      await nextTick();
      work.runs += 1;
    },
    readTotals: () => ({ cpuMs: {} }),
    ...rest,
  };
  return work;
}

test("measure() counts commits and CPU time per item", async () => {
  const work: Work & { runs: number } = fakeWork({
    itemsPerRun: 4,
    readTotals: () => ({ cpuMs: { driver: work.runs, worker: work.runs * 8 }, commits: work.runs }),
  });

  const sample = await measure(work, window);

  expect(sample).toMatchObject({ commits: 0.25, cpuMs: { driver: 0.25, worker: 2 } });
  expect(sample.cpuMs).not.toHaveProperty("server");
});

test("measure() goes on until as many runs have ended as go on at once", async () => {
  const sample = await measure(fakeWork({ runsAtOnce: 50 }), { warmUpMs: 0, measureMs: 0 });

  expect(sample.items).toBeGreaterThanOrEqual(50);
});

test("measure() ends with the error of a run", async () => {
  const run = () => Promise.reject(new Error("no disk"));

  await expect(measure(fakeWork({ run }), window)).rejects.toThrow("no disk");
});
