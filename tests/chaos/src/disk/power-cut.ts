// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { describeViolation, type Violation } from "../check/violation.ts";
import { Random } from "../random.ts";
import { Book, type Facts, type Note } from "./load/facts.ts";
import { judge, type Verdict } from "./load/judge.ts";
import { inParallel } from "./parallel.ts";
import { Disk, type Policy, policies } from "./power/image.ts";
import { record } from "./power/record.ts";
import type { Operation } from "./power/trace.ts";
import { Progress } from "./progress.ts";
import { scratchRoot } from "./scratch.ts";

/** What is run. */
export interface PowerCutOptions {
  readonly seed: number;
  /** Images in all: of each policy the same number. */
  readonly images: number;
  /** Instances of the recorded run. @default 240 */
  readonly instances?: number;
  /** Told how it goes. @default nobody */
  readonly onProgress?: (line: string) => void;
  /** Takes the process's syncs for nothing, to test the test. @default false */
  readonly ignoreSyncs?: boolean;
}

/** What came of a run. */
export interface PowerCutReport {
  readonly seed: number;
  readonly operations: number;
  readonly acknowledgements: number;
  readonly violations: readonly Violation[];
  /** Of each policy: images that opened, and that were refused, by code. */
  readonly outcomes: ReadonlyMap<Policy, Outcome>;
  readonly seconds: number;
}

interface Outcome {
  opened: number;
  readonly refused: Map<string, number>;
}

/** What a power cut has left. */
interface Image {
  readonly folder: string;
  readonly moment: number;
  readonly policy: Policy;
  /** What callers knew by then. */
  readonly facts: readonly Facts[];
}

const progressImages = 60;

/** Records an engine under load, and opens what a power cut at random moments would leave of it. */
export async function cutPower(options: PowerCutOptions): Promise<PowerCutReport> {
  const { seed, images, instances = 240, ignoreSyncs = false } = options;
  const progress = new Progress(options.onProgress);
  const scratch = await mkdtemp(join(scratchRoot(), "pawl-power-"));
  try {
    const dataDir = join(scratch, "data");
    const recorded = await record({ dataDir, seed, instances, lives: 3, scratch });
    const operations = ignoreSyncs ? recorded.filter(({ kind }) => kind !== "sync") : recorded;
    const notes = operations.flatMap(noteOf);
    progress.say(`recorded ${operations.length} operations on files, ${notes.length} notes`);
    const outcomes = new Map<Policy, Outcome>(
      policies.map((policy) => [policy, { opened: 0, refused: new Map() }]),
    );
    const violations: Violation[] = [];
    let done = 0;
    const left = imagesOf(operations, dataDir, seed, images);
    await inParallel(left, async ({ folder, moment, policy, facts }) => {
      const verdict = await judge(folder, { facts });
      const outcome = outcomes.get(policy);
      if (outcome !== undefined) count(outcome, verdict.refusal?.code);
      for (const violation of [...verdict.violations, ...refusalOf(policy, verdict)]) {
        violations.push({ ...violation, rule: `${policy}, cut at ${moment}: ${violation.rule}` });
        if (violations.length < 10) progress.say(describeViolation(violation));
      }
      await rm(folder, { recursive: true });
      done += 1;
      if (done % progressImages === 0) {
        progress.say(`${done} images, ${violations.length} violations`);
      }
    });
    const acknowledgements = notes.filter(({ what }) => what !== "asked").length;
    const { seconds } = progress;
    return { seed, operations: operations.length, acknowledgements, violations, outcomes, seconds };
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/** Only where a file system forgets any changes of names may a folder be refused. */
function refusalOf(policy: Policy, { refusal }: Verdict): Violation[] {
  if (refusal === undefined) return [];
  const { code, message } = refusal;
  if (code === "STORE_DAMAGED" && policy === "any folder changes lost") return [];
  return [{ rule: "the folder opens", found: `${code}: ${message}` }];
}

function count(outcome: Outcome, code: string | undefined): void {
  if (code === undefined) outcome.opened += 1;
  else outcome.refused.set(code, (outcome.refused.get(code) ?? 0) + 1);
}

/** Images of random moments, in the order of the moments, each made when it is asked for. */
function* imagesOf(
  operations: readonly Operation[],
  dataDir: string,
  seed: number,
  images: number,
): Generator<Image> {
  const random = new Random(seed);
  const moments = chooseMoments(operations, images, random);
  const disk = new Disk(dataDir);
  const book = new Book();
  let at = 0;
  for (const [index, moment] of moments.sort((a, b) => a - b).entries()) {
    for (const operation of operations.slice(at, moment)) {
      disk.apply(operation);
      for (const note of noteOf(operation)) book.add(note);
    }
    at = moment;
    const policy = policies[index % policies.length] ?? "all kept";
    const folder = `${dataDir}-${index}`;
    disk.leave(folder, policy, random.fork(index));
    yield { folder, moment, policy, facts: structuredClone(book.all()) };
  }
}

/** Any moments; half of them about changes of names, which are few and delicate. */
function chooseMoments(operations: readonly Operation[], images: number, random: Random): number[] {
  const namings = operations.flatMap(({ kind }, at) => (namingKinds.has(kind) ? at : []));
  return Array.from({ length: images }, () => {
    const near = namings[random.integer(0, namings.length - 1)];
    if (near === undefined || random.chance(0.5)) return random.integer(0, operations.length);
    return Math.min(operations.length, near + random.integer(0, 4));
  });
}

const namingKinds: ReadonlySet<string> = new Set(["rename", "unlink"]);

/** The notes in a write to standard output. */
function noteOf(operation: Operation): Note[] {
  if (operation.kind !== "write" || operation.fd !== 1) return [];
  const lines = Buffer.from(operation.bytes).toString("utf8").split("\n").filter(Boolean);
  // Only the recorded program writes there.
  return lines.map((line) => JSON.parse(line) as Note);
}
