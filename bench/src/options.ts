// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";
import { type SystemName, systemNames } from "./plan.js";
import { type WorkloadName, workloadNames } from "./workload/sample.js";

/** What the command line says. */
export interface BenchOptions {
  /** Small cases, one short round. */
  readonly quick: boolean;
  /** Install and measure other projects' software, too. */
  readonly peers: boolean;
  /** Rounds; figures are medians over them. */
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Time in all that may go into waiting for quiet moments. */
  readonly patienceMs: number;
  /** Workloads that are measured. */
  readonly only: ReadonlySet<WorkloadName>;
  /** Systems that are measured. */
  readonly systems: ReadonlySet<SystemName>;
  /** File that the results are written to, beside those of other workloads that it holds. */
  readonly out: string | undefined;
  /** File whose results are printed; nothing is measured then. */
  readonly print: string | undefined;
  readonly help: boolean;
}

/** What `--help` prints. */
export const usage = `pnpm bench [options]

  --peers          install and measure other projects' software, too
  --quick          small cases, one short round: shows that everything runs, not how fast
  --large          start up on a store of 1,000,000 instances, too: takes minutes and gigabytes
  --only NAMES     some of ${workloadNames.join(",")}
  --systems NAMES  some of ${systemNames.join(",")}
  --rounds N       rounds to take medians over (default 5)
  --patience S     seconds in all to wait for quiet moments of the machine (default 60)
  --out FILE       write the results as JSON; what FILE has of other workloads stays
  --print FILE     measure nothing; print what FILE holds, with the targets
  --help           this text
`;

/** The command line is wrong; the message says how. */
export class UsageError extends Error {}

/** Reads the command line. @throws UsageError */
export function parseOptions(commandLine: readonly string[]): BenchOptions {
  const { quick, peers, large, rounds, patience, only, systems, out, print, help } =
    parseFlags(commandLine);
  const usual = workloadNames.filter((name) => name !== "large" || large);
  return {
    quick,
    peers,
    rounds: rounds === undefined ? (quick ? 1 : 5) : parseNumber("--rounds", rounds, 1, 100),
    warmUpMs: quick ? 100 : 1500,
    measureMs: quick ? 200 : 1500,
    patienceMs:
      (patience === undefined ? (quick ? 0 : 60) : parseNumber("--patience", patience, 0, 36_000)) *
      1000,
    only: new Set(only === undefined ? usual : parseNames("--only", only, workloadNames)),
    systems: new Set(
      systems === undefined ? systemNames : parseNames("--systems", systems, systemNames),
    ),
    out,
    print,
    help,
  };
}

function parseFlags(commandLine: readonly string[]) {
  try {
    const { values } = parseArgs({
      // pnpm hands on the two dashes that set off a script's own flags.
      args: commandLine.filter((argument) => argument !== "--"),
      allowNegative: true,
      options: {
        quick: { type: "boolean", default: false },
        peers: { type: "boolean", default: false },
        large: { type: "boolean", default: false },
        rounds: { type: "string" },
        patience: { type: "string" },
        only: { type: "string" },
        systems: { type: "string" },
        out: { type: "string" },
        print: { type: "string" },
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

function parseNames<Name extends string>(
  flag: string,
  list: string,
  known: readonly Name[],
): Name[] {
  return list.split(",").map((text) => {
    const name = known.find((candidate) => candidate === text);
    if (name !== undefined) return name;
    throw new UsageError(`${flag} takes some of ${known.join(", ")}, not "${text}"`);
  });
}
