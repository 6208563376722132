// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import type { FuzzedServer } from "./fuzzed-server.ts";

const batchSize = 100;

/** The first input; another with PAWL_FUZZ_SEED. */
export const seed = Number(process.env.PAWL_FUZZ_SEED ?? 1);
/** Inputs of all kinds together; another number with PAWL_FUZZ_INPUTS. */
export const inputCount = Number(process.env.PAWL_FUZZ_INPUTS ?? 100_000);

/**
 * Sends a share of all inputs in batches of a hundred, and holds the server to this: every input is
 * answered or refused in time, none with a fault of the server's own; a normal request after each
 * batch is answered as ever. Resolves with the number of inputs.
 *
 * @param send resolves with a fault, or undefined
 */
export async function fuzz<Input>(
  server: FuzzedServer,
  input: fc.Arbitrary<Input>,
  share: number,
  send: (input: Input) => Promise<string | undefined>,
): Promise<number> {
  const numRuns = Math.ceil((inputCount * share) / batchSize);
  const batch = fc.array(input, { minLength: batchSize, maxLength: batchSize, size: "max" });
  let sent = 0;
  await fc.assert(
    fc.asyncProperty(batch, async (inputs) => {
      sent += inputs.length;
      const faults = await Promise.all(inputs.map(send));
      await server.checkAnswers();
      const all = [...faults.filter((fault) => fault !== undefined), ...server.faults];
      if (all.length > 0) {
        throw new Error(all.slice(0, 3).join("\n"));
      }
    }),
    // A batch that fails is shown as it is: its faults name what is wrong, and shrinking a hundred
    // inputs over sockets would take minutes.
    { seed, numRuns, endOnFailure: true },
  );
  return sent;
}
