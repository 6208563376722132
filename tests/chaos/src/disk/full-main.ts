// SPDX-License-Identifier: Apache-2.0

// Fills the disk under a real engine again and again: `node full-main.ts DIR SEED ROUNDS FILL_LIMIT_MS`,
// where DIR is a file system of its own. Prints a line of JSON for each round, and one for the end.

import { closeSync, ftruncateSync, openSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Engine, openEngine } from "@pawl/engine";
import { Random } from "../random.ts";
import { Book, type Note } from "./load/facts.ts";
import { judge } from "./load/judge.ts";
import { checkRuns, connectWorker, Workload } from "./load/workload.ts";

const [folder = "", seed = "0", rounds = "0", fillLimitMs = "0"] = process.argv.slice(2);
const random = new Random(Number(seed));
const book = new Book();
const chunk = Buffer.alloc(4096, 0x5a);

/** Free space at the beginning of a round; what the load writes until it is used up. */
const freeAtMost = 600 * 1024;
/** Free space while there is some. */
const roomBytes = 24 * 1024 * 1024;

/** A file that takes up the space that is not to be free. */
class Ballast {
  readonly #file = openSync(join(folder, "ballast"), "w");
  #sizeBytes = 0;

  leave(freeBytes: number): void {
    const wanted = Math.max(0, this.#sizeBytes + free() - freeBytes);
    if (wanted < this.#sizeBytes) {
      ftruncateSync(this.#file, wanted);
      this.#sizeBytes = wanted;
    }
    while (this.#sizeBytes + chunk.length <= wanted && this.#grow()) {}
  }

  /** False: the engine, which writes meanwhile, has used the space up. */
  #grow(): boolean {
    try {
      writeSync(this.#file, chunk, 0, chunk.length, this.#sizeBytes);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOSPC") return false;
      throw error;
    }
    this.#sizeBytes += chunk.length;
    return true;
  }

  close(): void {
    closeSync(this.#file);
  }
}

function free(): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Resolves when the engine is ready (or not ready), at the latest after a limit; true in time. */
async function becomes(engine: Engine, ready: boolean, limitMs: number): Promise<boolean> {
  const until = performance.now() + limitMs;
  while (engine.isReady() !== ready && performance.now() < until) await sleep(1);
  return engine.isReady() === ready;
}

async function runRound(engine: Engine, ballast: Ballast, round: number): Promise<void> {
  const freeBytes = random.integer(0, freeAtMost);
  ballast.leave(freeBytes);
  let isOver = false;
  const workload = new Workload(engine, {
    random: random.fork(round),
    actors: 4,
    padBytes: random.chance(0.5) ? 2_000 : 40_000,
    name: `${round}.`,
    note: (note: Note) => book.add(note),
  });
  const running = workload.run(() => isOver);
  const isFull = await becomes(engine, false, Number(fillLimitMs));
  await sleep(random.integer(0, 150));
  isOver = true;
  ballast.leave(roomBytes);
  const freedAt = performance.now();
  const isBack = await becomes(engine, true, 30_000);
  await engine.start({
    workflow: "tally",
    instanceId: `tally-${round}.back`,
    input: '{"value":0}',
  });
  const backMs = Math.round(performance.now() - freedAt);
  await running;
  process.stdout.write(`${JSON.stringify({ round, freeBytes, isFull, isBack, backMs })}\n`);
}

const dataDir = join(folder, "data");
const ballast = new Ballast();
const engine = await openEngine({ dataDir });
const { worker, running, runs } = connectWorker(engine);
ballast.leave(roomBytes);
for (let round = 1; round <= Number(rounds); round += 1) {
  await runRound(engine, ballast, round);
  const id = `tally-${round}.back`;
  book.add({ what: "acknowledged", verb: "start", id });
}
ballast.leave(roomBytes);
await worker.stop();
await running;
await engine.close();
ballast.close();
const { refusal, violations: left } = await judge(dataDir, { facts: book.all() });
const violations = [...checkRuns(runs), ...left];
const instances = book.all().length;
process.stdout.write(`${JSON.stringify({ instances, refusal, violations })}\n`);
