// SPDX-License-Identifier: Apache-2.0

import { activity, type Client, event, workflow } from "@pawl/client";

/** Adds one. */
export const increment = activity("increment", (value: number) => value + 1);

/** The instant at which it runs, in milliseconds with fractions. */
export const stamp = activity("stamp", () => performance.timeOrigin + performance.now());

/** The workflow of most measurements: three activities, each with the output of the one before. */
export const chain = workflow("chain", async (context, value: number) => {
  const first = await context.activity(increment, value);
  const second = await context.activity(increment, first);
  return context.activity(increment, second);
});

/** As many activities at the same time as its input says. */
export const fanOut = workflow("fanOut", async (context, width: number) => {
  const calls = Array.from({ length: width }, (_, index) => context.activity(increment, index));
  return (await Promise.all(calls)).length;
});

/** As many activities one after another; gives the instants that `WorkflowSystem.steps` asks for. */
export const steps = workflow("steps", async (context, count: number) => {
  const times: number[] = [];
  for (let step = 1; step <= count; step += 1) {
    const at = await context.activity(stamp);
    if (isMarkedStep(step, count)) times.push(at);
  }
  return times;
});

/** Whether the instant of this step (from 1 on) is asked for. */
export function isMarkedStep(step: number, count: number): boolean {
  return step === 1 || step === 101 || step === count - 100 || step === count;
}

/** The event of `waiting`. */
export const go = event<number>("go");

/** Ends with the payload of its event. */
export const waiting = workflow("waiting", (context) => context.waitForEvent(go));

/** A worker of these, with room for more than any load of the benchmark. */
export const ownWorker = {
  workflows: [chain, fanOut, steps, waiting],
  activities: [increment, stamp],
  ...{ turnLimit: 4096, activityLimit: 4096, cacheLimit: 4096 },
};

/** What `chain` makes of 0. */
export const chainOutput = 3;

/** Starts a chain and waits for its end. */
export async function runChain(client: Client): Promise<void> {
  const handle = await client.start(chain, 0);
  requireOutput(await handle.result(), chainOutput);
}

/** Throws when a workflow ended with something else than it should. */
export function requireOutput(output: unknown, expected: unknown): void {
  if (output !== expected) throw new Error(`a workflow ended with ${JSON.stringify(output)}`);
}
