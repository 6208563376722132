// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { processMemoryBytes } from "../process/cpu.js";
import { measureOnce } from "../workload/measure.js";
import type { Sample, Task } from "../workload/sample.js";
import { fillStore } from "./fill.js";
import { startPawl } from "./pawl-server.js";
import type { RunningProgram, System, Toolbox } from "./system.js";

/** Instances of a large store that have not ended. */
const unfinishedShare = 0.01;

/** Time after which a program that was started is at rest. */
const settleMs = 2000;

const megabyte = 1024 * 1024;

/** Pawl as a program: how fast it starts, on an empty folder or a large one, and what it takes. */
export async function open(toolbox: Toolbox): Promise<System> {
  return {
    measure(task) {
      switch (task.workload) {
        case "start-up":
          return measureStarts(toolbox);
        case "rest":
          return measureRest(toolbox);
        case "large":
          return measureLarge(toolbox, task);
        default:
          throw new Error(`a program has no ${task.workload}`);
      }
    },
    close: async () => {},
  };
}

/** Milliseconds from starting Node until a first workflow has ended, embedded and as a server. */
async function measureStarts(toolbox: Toolbox): Promise<Sample> {
  return measureStart(toolbox, await toolbox.makeTempFolder());
}

/** The same on a folder. */
function measureStart(toolbox: Toolbox, folder: string): Promise<Sample> {
  return measureOnce(
    1,
    () => ({ cpuMs: {} }),
    async () => {
      const startedAt = performance.now();
      const program = await startFirstWorkflow(toolbox, folder);
      const elapsedMs = performance.now() - startedAt;
      await program.stop();
      return [elapsedMs];
    },
  );
}

async function measureRest(toolbox: Toolbox): Promise<Sample> {
  const folder = await toolbox.makeTempFolder();
  const embedded = await startFirstWorkflow(toolbox, folder);
  const server = await startPawl(toolbox);
  const facts: Record<string, number> = {};
  const sample = await measureOnce(
    1,
    () => ({ cpuMs: {} }),
    async () => {
      await sleep(settleMs);
      facts.serverMb = (processMemoryBytes(server.pid) ?? Number.NaN) / megabyte;
      facts.embeddedMb = (processMemoryBytes(embedded.pid) ?? Number.NaN) / megabyte;
      return [];
    },
  );
  await embedded.stop();
  await server.stop();
  return { ...sample, facts };
}

/** Start-up on a folder with many instances, a hundredth of which have not ended. */
async function measureLarge(toolbox: Toolbox, { size }: Task): Promise<Sample> {
  const folder = await toolbox.makeTempFolder();
  const fillStartedAt = performance.now();
  await fillStore(folder, size, Math.ceil(size * unfinishedShare));
  const fillSeconds = (performance.now() - fillStartedAt) / 1000;
  return { ...(await measureStart(toolbox, folder)), facts: { fillSeconds } };
}

function startFirstWorkflow(toolbox: Toolbox, folder: string): Promise<RunningProgram> {
  const program = fileURLToPath(new URL("../process/first-workflow.js", import.meta.url));
  return toolbox.startNode(program, [folder], "workflow ended");
}
