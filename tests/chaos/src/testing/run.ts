// SPDX-License-Identifier: Apache-2.0

/** The seed of this run, printed: PAWL_CHAOS_SEED, what CI draws by (PAWL_SEED), or a random one. */
export function chooseSeed(): number {
  const given = process.env.PAWL_CHAOS_SEED ?? process.env.PAWL_SEED;
  const seed = given === undefined ? Math.floor(Math.random() * 1_000_000) : Number(given);
  print(`seed ${seed}: PAWL_CHAOS_SEED=${seed} makes this run's choices again`);
  return seed;
}

/** Writes to the test's output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
