// SPDX-License-Identifier: Apache-2.0

import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { openEngine } from "@pawl/engine";
import { describeViolation, type Violation } from "../check/violation.ts";
import { Random } from "../random.ts";
import { Book, type Facts, type Note } from "./load/facts.ts";
import { judge, type Verdict } from "./load/judge.ts";
import { connectWorker, Workload } from "./load/workload.ts";
import { inParallel } from "./parallel.ts";
import { Progress } from "./progress.ts";
import { scratchRoot } from "./scratch.ts";

/** Kinds of files of a data folder. */
export const fileKinds = {
  CURRENT: /^db\/CURRENT$/,
  manifest: /^db\/MANIFEST-/,
  log: /^db\/\d+\.log$/,
  table: /^db\/\d+\.ldb$/,
  LOCK: /^db\/LOCK$/,
  "pawl.json": /^pawl\.json$/,
  "newest-commit": /^newest-commit$/,
} as const;

/** What is done to a file. */
export const harms = ["delete", "empty", "truncate", "zero a half", "flip a bit"] as const;

/** A kind of file. */
export type FileKind = keyof typeof fileKinds;
type Harm = (typeof harms)[number];

/** What came of the cases of a kind of file and a harm. */
export interface DamageOutcome {
  readonly kind: FileKind;
  readonly harm: Harm;
  /** The folder was refused. */
  refused: number;
  /** It was served, and the damage reported. */
  parked: number;
  /** Nothing was lost. */
  harmless: number;
}

/** What is run. */
export interface DamageOptions {
  readonly seed: number;
  /** Cases in all, evenly over kinds of files and harms. */
  readonly count: number;
  /** Only kinds of files whose name has this. @default all */
  readonly only?: string;
  /** Told how it goes. @default nobody */
  readonly onProgress?: (line: string) => void;
}

/** What came of a run. */
export interface DamageReport {
  readonly seed: number;
  readonly outcomes: readonly DamageOutcome[];
  readonly violations: readonly Violation[];
  readonly seconds: number;
}

/** A folder to be damaged, and what callers know of it. */
interface Base {
  readonly folder: string;
  readonly facts: readonly Facts[];
}

const progressCases = 200;

/** Damages one file of a data folder at a time, and checks that it is found, or does no harm. */
export async function damageFiles(options: DamageOptions): Promise<DamageReport> {
  const { seed, count, only = "" } = options;
  const progress = new Progress(options.onProgress);
  const scratch = await mkdtemp(join(scratchRoot(), "pawl-damage-"));
  try {
    const bases = await makeBases(scratch, new Random(seed));
    progress.say(`two folders with ${bases[0]?.facts.length} instances each`);
    const violations: Violation[] = [];
    const kinds = Object.keys(fileKinds).filter((kind) => kind.includes(only));
    const outcomes = kinds.flatMap((kind) =>
      harms.map((harm): DamageOutcome => {
        return { kind: kind as FileKind, harm, refused: 0, parked: 0, harmless: 0 };
      }),
    );
    let done = 0;
    await inParallel(casesOf(bases, outcomes, count, scratch, seed), async (damaged) => {
      const { folder, facts, what, outcome } = damaged;
      const before = contentOf(folder);
      const verdict = await judge(folder, { facts, mayBeDamaged: true });
      if (verdict.refusal !== undefined) outcome.refused += 1;
      else if (verdict.parked.length > 0 || verdict.isReported) outcome.parked += 1;
      else outcome.harmless += 1;
      for (const violation of [...verdict.violations, ...changes(verdict, before, folder)]) {
        violations.push({ ...violation, rule: `${what}: ${violation.rule}` });
        if (violations.length < 20) progress.say(describeViolation(violations.at(-1) ?? violation));
      }
      await rm(folder, { recursive: true });
      done += 1;
      if (done % progressCases === 0)
        progress.say(`${done} cases, ${violations.length} violations`);
    });
    return { seed, outcomes, violations, seconds: progress.seconds };
  } finally {
    await rm(scratch, { recursive: true });
  }
}

interface Case extends Base {
  readonly what: string;
  readonly outcome: DamageOutcome;
}

function* casesOf(
  bases: readonly Base[],
  outcomes: readonly DamageOutcome[],
  count: number,
  scratch: string,
  seed: number,
): Generator<Case> {
  for (let index = 0; index < count; index += 1) {
    const random = new Random(seed).fork(index);
    const outcome = outcomes[index % outcomes.length];
    const base = bases[random.integer(0, bases.length - 1)];
    if (outcome === undefined || base === undefined) return;
    const folder = join(scratch, `case-${index}`);
    cpSync(base.folder, folder, { recursive: true });
    const file = chooseFile(folder, fileKinds[outcome.kind], random);
    if (file === undefined) throw new Error(`no file to harm: ${outcome.kind} in ${base.folder}`);
    const where = harmFile(join(folder, file), outcome.harm, random);
    const what = `case ${index}, ${basename(base.folder)} folder, ${outcome.harm} ${file}${where}`;
    yield { folder, facts: base.facts, what, outcome };
  }
}

/** One folder that was closed, and one whose process was killed at work. */
async function makeBases(scratch: string, random: Random): Promise<Base[]> {
  const dataDir = join(scratch, "closed");
  const book = new Book();
  for (let life = 1; ; life += 1) {
    const engine = await openEngine({ dataDir });
    const { worker, running } = connectWorker(engine);
    const workload = new Workload(engine, {
      random: random.fork(life),
      actors: 4,
      padBytes: 8_000,
      name: `${life}.`,
      note: (note: Note) => book.add(note),
    });
    await workload.run(() => workload.count >= 30);
    await engine.idle();
    const facts = structuredClone(book.all());
    if (life === 3) cpSync(dataDir, join(scratch, "killed"), { recursive: true });
    await worker.stop();
    await running;
    await engine.close();
    if (life < 3) continue;
    return ["closed", "killed"].map((name) => ({ folder: join(scratch, name), facts }));
  }
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

function chooseFile(folder: string, pattern: RegExp, random: Random): string | undefined {
  const files = filesIn(folder).filter((file) => pattern.test(file));
  return files.sort()[random.integer(0, files.length - 1)];
}

/** Harms a file; says where. */
function harmFile(path: string, harm: Harm, random: Random): string {
  const bytes = readFileSync(path);
  const at = random.integer(0, Math.max(0, bytes.length - 1));
  switch (harm) {
    case "delete":
      rmSync(path);
      return "";
    case "empty":
      truncateSync(path);
      return "";
    case "truncate":
      truncateSync(path, at);
      return ` to ${at} of ${bytes.length} bytes`;
    case "zero a half":
      if (random.chance(0.5)) bytes.fill(0, 0, bytes.length >> 1);
      else bytes.fill(0, bytes.length >> 1);
      break;
    case "flip a bit":
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(0, 7));
      break;
    default:
  }
  writeFileSync(path, bytes);
  return ` at ${at} of ${bytes.length} bytes`;
}

/** Files that say only who has the folder, or what LevelDB did. */
const passing = /(^holder\.json|\/LOCK|\/LOG(\.old)?)$/;

function contentOf(folder: string): Map<string, Buffer> {
  const files = filesIn(folder).filter((file) => !passing.test(file));
  return new Map(files.map((file) => [file, readFileSync(join(folder, file))]));
}

/** A folder that is refused keeps every byte; so does what lies aside of one that was salvaged. */
function changes(verdict: Verdict, before: Map<string, Buffer>, folder: string): Violation[] {
  const aside = readdirSync(folder).find((name) => name.startsWith("damaged-"));
  if (verdict.refusal === undefined && aside === undefined) return [];
  const after = contentOf(join(folder, aside ?? ""));
  const rule =
    verdict.refusal === undefined
      ? "what was salvaged lies aside as it was"
      : `a refused folder (${verdict.refusal.message}) is left as it is`;
  return [...before].flatMap(([file, bytes]) => {
    const now = after.get(file);
    if (now === undefined) return [{ rule, found: `${file} is gone` }];
    return now.equals(bytes) ? [] : [{ rule, found: `${file} has changed` }];
  });
}
