// SPDX-License-Identifier: Apache-2.0

import { activity, type Client, workflow } from "@pawl/client";

/** Adds one. */
export const increment = activity("increment", (value: number) => value + 1);

/** The workflow of every bench: three activities, each with the output of the one before. */
export const chain = workflow("chain", async (context, value: number) => {
  const first = await context.activity(increment, value);
  const second = await context.activity(increment, first);
  return context.activity(increment, second);
});

/** What `chain` makes of 0. */
export const chainOutput = 3;

/** Starts a chain and waits for its end. */
export async function runChain(client: Client): Promise<void> {
  const handle = await client.start(chain, 0);
  requireChainOutput(await handle.result());
}

/** Throws when a chain ended with something else than it should. */
export function requireChainOutput(output: unknown): void {
  if (output !== chainOutput) throw new Error(`a chain ended with ${JSON.stringify(output)}`);
}
