// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";
import { type Client, type Handle, workflow } from "@pawl/client";
import { percentile } from "../report/statistics.js";

/** Milliseconds by which each sleeper was late, in the order in which they woke. */
const lateness: number[] = [];

/** Sleeps until the instant that it is given, and notes how late it woke. */
export const sleeper = workflow("sleeper", async (context, wakeAt: number) => {
  await context.sleepUntil(wakeAt);
  lateness.push(Date.now() - wakeAt);
});

/** Instances that are started at the same time. */
const startsAtOnce = 512;
/** Instances by which the time for all is estimated, and what is added to that. */
const probe = 2000;
const estimateFactor = 1.5;
const extraMs = 5000;

const megabyte = 1024 * 1024;

/**
 * Starts instances that sleep until the same instant, far enough away for all to be asleep by then;
 * measures the memory of this process meanwhile, and how late they wake.
 */
export function createSleep(
  client: Client,
): (count: number) => Promise<Readonly<Record<string, number>>> {
  return async (count) => {
    lateness.length = 0;
    const before = process.memoryUsage().rss;
    const startedAt = performance.now();
    const probeCount = Math.min(probe, count);
    // These sleep long: they only show how fast starting is, and are ended before the others wake.
    const probes = await startMany(client, probeCount, Date.now() + 86_400_000);
    const perInstanceMs = (performance.now() - startedAt) / probeCount;
    await Promise.all(probes.map((handle) => handle.terminate()));
    const wakeAt = Date.now() + perInstanceMs * count * estimateFactor + extraMs;
    const handles = await startMany(client, count, wakeAt);
    if (Date.now() > wakeAt - 1000) throw new Error("the sleepers were started too slowly");
    globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    await sleep(wakeAt - Date.now());
    await handles.at(-1)?.waitForCompletion();
    while (lateness.length < count) await sleep(20);
    const late = Float64Array.from(lateness).sort();
    return {
      startedPerSecond: 1000 / perInstanceMs,
      rssMb: rss / megabyte,
      addedRssMb: (rss - before) / megabyte,
      heapMb: heapUsed / megabyte,
      p50LateMs: percentile(late, 0.5),
      p99LateMs: percentile(late, 0.99),
      lastLateMs: late.at(-1) ?? Number.NaN,
    };
  };
}

async function startMany(client: Client, count: number, wakeAt: number): Promise<Handle<void>[]> {
  const handles: Handle<void>[] = [];
  let left = count;
  const startOne = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const handle = await client.start(sleeper, wakeAt);
      await handle.waitForStart({ payloads: false });
      handles.push(handle);
    }
  };
  await Promise.all(Array.from({ length: startsAtOnce }, startOne));
  return handles;
}
