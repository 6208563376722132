// SPDX-License-Identifier: Apache-2.0

import type { Client } from "@pawl/client";
import { fanOut, go, requireOutput, runChain, steps, waiting } from "../workload/fixtures.js";
import type { RaiseAndFinish, WorkflowSystem } from "./system.js";

/** Instances that are started at the same time. */
const startsAtOnce = 256;

type Workloads = Required<Pick<WorkflowSystem, "chain" | "fanOut" | "steps" | "startWaiting">>;

/** The workloads on Pawl's client, wherever its engine is. */
export function clientWorkloads(client: Client): Workloads {
  return {
    chain: () => runChain(client),
    async fanOut(width) {
      requireOutput(await (await client.start(fanOut, width)).result(), width);
    },
    async steps(count) {
      return (await client.start(steps, count)).result();
    },
    startWaiting: (count) => startWaiting(client, count),
  };
}

async function startWaiting(client: Client, count: number): Promise<RaiseAndFinish[]> {
  const raises: RaiseAndFinish[] = [];
  let left = count;
  const startMany = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const payload = left;
      const handle = await client.start(waiting);
      await handle.waitForStart();
      raises.push(async () => {
        const ended = handle.result();
        await handle.raiseEvent(go, payload);
        requireOutput(await ended, payload);
      });
    }
  };
  await Promise.all(Array.from({ length: startsAtOnce }, startMany));
  return raises;
}
