// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";
import { type BenchName, benchNames } from "./bench.js";

/** What the command line says. */
export interface BenchOptions {
  /** Rounds; figures are medians over them. */
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Time in all that may go into waiting for quiet moments. */
  readonly patienceMs: number;
  /** What is measured. */
  readonly only: ReadonlySet<BenchName>;
  /** File that the results are written to. */
  readonly out: string | undefined;
  readonly help: boolean;
}

/** What `--help` prints. */
export const usage = `pnpm bench [options]

  --quick         one short round: shows that everything runs, not how fast
  --rounds N      rounds to take medians over (default 3)
  --patience S    seconds in all to wait for quiet moments of the machine (default 60)
  --only NAMES    some of ${benchNames.join(",")}
  --out FILE      write the results as JSON
  --help          this text
`;

/** The command line is wrong; the message says how. */
export class UsageError extends Error {}

/** Reads the command line. @throws UsageError */
export function parseOptions(commandLine: readonly string[]): BenchOptions {
  const { quick, rounds, patience, only, out, help } = parseFlags(commandLine);
  return {
    rounds: rounds === undefined ? (quick ? 1 : 3) : parseNumber("--rounds", rounds, 1, 100),
    warmUpMs: quick ? 200 : 500,
    measureMs: quick ? 500 : 2500,
    patienceMs:
      (patience === undefined ? (quick ? 0 : 60) : parseNumber("--patience", patience, 0, 36_000)) *
      1000,
    only: new Set(only === undefined ? benchNames : only.split(",").map(parseName)),
    out,
    help,
  };
}

function parseFlags(commandLine: readonly string[]) {
  try {
    const { values } = parseArgs({
      // pnpm hands on the two dashes that set off a script's own flags.
      args: commandLine.filter((argument) => argument !== "--"),
      options: {
        quick: { type: "boolean", default: false },
        rounds: { type: "string" },
        patience: { type: "string" },
        only: { type: "string" },
        out: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function parseNumber(flag: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new UsageError(`${flag} must be a whole number from ${least} to ${most}, not "${text}"`);
}

function parseName(text: string): BenchName {
  const name = benchNames.find((candidate) => candidate === text);
  if (name !== undefined) return name;
  throw new UsageError(`--only takes some of ${benchNames.join(", ")}, not "${text}"`);
}
