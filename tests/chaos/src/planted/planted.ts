// SPDX-License-Identifier: Apache-2.0

import { type PlantedFault, plantedFaults, type SuiteName } from "../../planted/index.ts";
import { Copy, type Outcome } from "./copy.ts";
import { PlantError } from "./plant.ts";

/** How to test the tests. */
export interface PlantedOptions {
  /** Parts of the names of some faults, with commas between; absent: all. */
  readonly only?: string;
  /** Seeds of the simulation and of the model check. */
  readonly seeds: number;
  onProgress(line: string): void;
  /** Told of each result as soon as there is one: a run that is cut off has told what it found. */
  onResult?(result: PlantedResult): void;
}

/** What became of one planted fault. */
export interface PlantedResult {
  readonly name: string;
  readonly breaks: string;
  /** The suite that noticed it; undefined: none did. */
  readonly caughtBy: SuiteName | undefined;
  /** What the suite said first. */
  readonly found: string;
  readonly seconds: number;
}

/** Runs of a suite are cut off after this long: a fault may make one endless. */
const limitMs = 600_000;

/** Plants faults one at a time, and runs the suite that must catch each. @throws PlantError */
export async function runPlanted(options: PlantedOptions): Promise<PlantedResult[]> {
  const { only = "", onProgress } = options;
  const parts = only.split(",");
  const faults = plantedFaults.filter(({ name }) => parts.some((part) => name.includes(part)));
  if (faults.length === 0) throw new PlantError(`there is no planted fault "${only}"`);
  const copy = new Copy();
  const results: PlantedResult[] = [];
  try {
    await requireGood(copy, faults, options);
    for (const [index, fault] of faults.entries()) {
      const result = await runOne(copy, fault, options);
      results.push(result);
      options.onResult?.(result);
      const said = result.caughtBy === undefined ? "NOT CAUGHT" : `caught by ${result.caughtBy}`;
      const place = `${index + 1} of ${faults.length}`;
      onProgress(
        `${place}: ${fault.name}: ${said}, ${result.seconds.toFixed(1)} s: ${result.found}`,
      );
    }
  } finally {
    copy.delete();
  }
  return results;
}

/** Without a fault nothing may be found: else what is found says nothing. */
async function requireGood(
  copy: Copy,
  faults: readonly PlantedFault[],
  { seeds }: PlantedOptions,
): Promise<void> {
  const built = await copy.build();
  if (!built.isGood) throw new PlantError(`the copy does not build: ${built.output}`);
  const { isGood, output } = await runSuite(copy, "simulation", Math.min(seeds, 50), []);
  if (!isGood) throw new PlantError(`the copy without a fault fails: ${output.slice(-2000)}`);
  for (const suite of ["engine", "server", "power", "damage", "full"] as const) {
    const its = faults.filter((fault) => fault.suite === suite);
    const named = its.flatMap(({ tests = [] }) => tests);
    // Tests of a whole package are known to be good.
    if (its.length === 0 || (named.length === 0 && !(suite in diskRuns))) continue;
    const tested = await runSuite(copy, suite, seeds, [...new Set(named)]);
    const what = `the copy's ${suite} fails without a fault`;
    if (!tested.isGood) throw new PlantError(`${what}: ${tested.output.slice(-2000)}`);
  }
}

async function runOne(
  copy: Copy,
  fault: PlantedFault,
  { seeds }: PlantedOptions,
): Promise<PlantedResult> {
  const { name, breaks, suite, tests = [] } = fault;
  const takeOut = copy.plant(fault);
  try {
    const built = await copy.build();
    if (!built.isGood) {
      return {
        name,
        breaks,
        caughtBy: undefined,
        found: `does not build: ${built.output}`,
        seconds: 0,
      };
    }
    const startedAt = performance.now();
    const { isGood, isCut, output } = await runSuite(copy, suite, seeds, tests);
    const seconds = (performance.now() - startedAt) / 1000;
    // A slow machine finds nothing, nor does a suite that is not there: it has to have said what is wrong.
    const finding = isGood ? undefined : firstFinding(suite, output);
    const isCaught = finding !== undefined;
    const found = finding ?? (isCut ? "cut off with nothing found" : lastLine(output));
    return { name, breaks, caughtBy: isCaught ? suite : undefined, found, seconds };
  } finally {
    takeOut();
  }
}

/** What runs on real disks are planted faults looked for in. */
const diskRuns = {
  power: ["--seed", "1", "--images", "240"],
  damage: ["--seed", "1", "--count", "105"],
  full: ["--seed", "1", "--rounds", "6"],
} as const;

function runSuite(
  copy: Copy,
  suite: SuiteName,
  seeds: number,
  tests: readonly string[],
): Promise<Outcome> {
  const range = ["--seed", "1", "--count", `${seeds}`];
  switch (suite) {
    case "simulation":
      return copy.chaos(limitMs, "simulate", ...range);
    case "model":
      return copy.chaos(limitMs, "model", ...range);
    case "store":
      return copy.chaos(limitMs, "store");
    case "power":
    case "damage":
    case "full":
      return copy.chaos(limitMs, suite, ...diskRuns[suite]);
    default:
      return copy.test(limitMs, suite, tests);
  }
}

/** The line of the output that says what was found, if one does. */
export function firstFinding(suite: SuiteName, output: string): string | undefined {
  const [, ...told] = findings[suite].exec(output) ?? [];
  const finding = told.find((text) => text !== undefined);
  return finding === undefined ? undefined : plain(finding);
}

const ofVitest = /^(.*FAIL.*)$/m;
const ofSimulation = /^(seed \d+ fails:.*)$/m;
const ofDisk = /^(?:violations: [1-9]\d*\n)(.*)$/m;
/** LevelDB ends the process where it gets to see a block that is damaged. */
const ofDamage = /^(?:violations: [1-9]\d*\n)(.*)$|^.*leveldb.*: (Assertion .* failed\.)$/m;

/** How the suites say what they find. */
const findings: Readonly<Record<SuiteName, RegExp>> = {
  engine: ofVitest,
  server: ofVitest,
  store: ofVitest,
  simulation: ofSimulation,
  model: ofSimulation,
  power: ofDisk,
  damage: ofDamage,
  full: ofDisk,
};

function lastLine(output: string): string {
  return plain(output.split("\n").findLast((text) => text.trim() !== "") ?? "");
}

/** The folder of a run, which has a name of its own each time. */
const scratchFolder = /\S*\/pawl-\w+-\w+\//g;

function plain(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of the terminal
  const shown = line.replaceAll(/\u001b\[[0-9;]*m/g, "");
  const text = shown.trim().replaceAll(scratchFolder, "");
  return text
    .replace(/^FAIL\s+/, "")
    .replace(/^(seed \d+) fails:/, "$1:")
    .slice(0, 120);
}
