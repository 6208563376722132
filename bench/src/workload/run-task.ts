// SPDX-License-Identifier: Apache-2.0

import { ownCpuMs, processCpuMs } from "../process/cpu.js";
import type { RaiseAndFinish, WorkflowSystem } from "../system/system.js";
import { measure, measureOnce } from "./measure.js";
import type { Sample, Task, Totals } from "./sample.js";

/** Events that are on their way at the same time. */
const eventsAtOnce = 256;

/** Does a task on a system that runs workflows. */
export async function runTask(system: WorkflowSystem, task: Task): Promise<Sample> {
  switch (task.workload) {
    case "chain":
      return repeat(system, task, required(system.chain, task));
    case "fan-out": {
      const fanOut = required(system.fanOut, task);
      return repeat(system, task, () => fanOut(task.size));
    }
    case "steps":
      return measureSteps(system, task);
    case "events":
      return measureEvents(system, task);
    case "sleep":
      return measureSleep(system, task);
    default:
      throw new Error(`a system of workflows has no ${task.workload}`);
  }
}

function required<T>(method: T | undefined, { workload }: Task): T {
  if (method === undefined) throw new Error(`this system has no ${workload}`);
  return method;
}

function repeat(system: WorkflowSystem, task: Task, run: () => Promise<unknown>): Promise<Sample> {
  const work = {
    run: async () => void (await run()),
    itemsPerRun: 1,
    runsAtOnce: task.atOnce,
    readTotals: () => readTotals(system),
  };
  return measure(work, task);
}

function readTotals({ pids, countCommits }: WorkflowSystem): Totals {
  const cpuMs: Record<string, number> = { driver: ownCpuMs() };
  for (const [role, pid] of Object.entries(pids)) {
    const used = processCpuMs(pid);
    if (used !== undefined) cpuMs[role] = (cpuMs[role] ?? 0) + used;
  }
  return { cpuMs, ...(countCommits === undefined ? {} : { commits: countCommits() }) };
}

async function measureSteps(system: WorkflowSystem, task: Task): Promise<Sample> {
  const steps = required(system.steps, task);
  await warmUp(task, () => steps(task.size));
  let times: readonly number[] = [];
  const sample = await measureOnce(
    task.size,
    () => readTotals(system),
    async () => {
      times = await steps(task.size);
      return [];
    },
  );
  const [begun = 0, hundredth = 0, beforeLast = 0, last = 0] = times;
  const firstMs = (hundredth - begun) / 100;
  const lastMs = (last - beforeLast) / 100;
  const facts = { firstMs, lastMs, lastToFirst: lastMs / firstMs };
  return { ...sample, p50Ms: firstMs, p99Ms: lastMs, facts };
}

/** What is measured is a system that has been at work: its code is compiled by then. Done once at least. */
async function warmUp({ warmUpMs }: Task, run: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  do await run();
  while (performance.now() - startedAt < warmUpMs);
}

async function measureEvents(system: WorkflowSystem, task: Task): Promise<Sample> {
  const startWaiting = required(system.startWaiting, task);
  await warmUp(task, async () => raiseAll(await startWaiting(task.size)));
  const waiting = await startWaiting(task.size);
  return measureOnce(
    task.size,
    () => readTotals(system),
    () => raiseAll(waiting),
  );
}

/** Raises an event on each of those that wait; gives the time that each took to end. */
async function raiseAll(instances: readonly RaiseAndFinish[]): Promise<readonly number[]> {
  const waiting = [...instances];
  const latencies: number[] = [];
  const raiseMany = async (): Promise<void> => {
    for (let raise = waiting.pop(); raise !== undefined; raise = waiting.pop()) {
      const startedAt = performance.now();
      await raise();
      latencies.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: eventsAtOnce }, raiseMany));
  return latencies;
}

async function measureSleep(system: WorkflowSystem, task: Task): Promise<Sample> {
  const sleep = required(system.sleep, task);
  let facts: Readonly<Record<string, number>> = {};
  const sample = await measureOnce(
    task.size,
    () => readTotals(system),
    async () => {
      facts = await sleep(task.size);
      return [];
    },
  );
  return { ...sample, facts };
}
