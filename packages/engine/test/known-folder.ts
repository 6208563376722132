// SPDX-License-Identifier: Apache-2.0

import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { Engine } from "../src/engine.js";
import { isEngineError, openEngine } from "../src/index.js";
import { listWrites } from "../src/store/level/inspect.js";
import { readBlocks } from "../src/store/level/table-file.js";
import type { TableBlock } from "../src/store/level/table-scan.js";
import { openOnDisk } from "./data-folder.js";
import { flows, tasks } from "./flows.js";
import { ManualClock } from "./manual-clock.js";
import { type LogLine, loggerInto } from "./open-engine.js";
import { ScriptedWorker } from "./scripted-worker.js";

/** Everything that a caller can read of an instance. */
export interface Facts {
  readonly instance: unknown;
  readonly history: unknown;
}

/** A data folder of which everything is known. */
export interface KnownFolder {
  readonly dataDir: string;
  /** What is true of each instance; undefined: it was purged. */
  readonly truth: ReadonlyMap<string, Facts | undefined>;
  /** How those end that have not ended. */
  readonly outputs: ReadonlyMap<string, string>;
}

const lives = 4;

/** How much is in a known folder. */
export interface KnownFolderOptions {
  /** Groups of six instances that each life starts. @default 12 */
  readonly groups?: number;
  /** Inputs of those that have ended. @default 40 bytes */
  readonly endedInput?: () => string;
}

/** A worker for all workflows of the tests. */
export function connect(engine: Engine): void {
  new ScriptedWorker(engine, { workflows: Object.keys(flows), flows, tasks });
}

/** What a caller is told of an instance. */
export async function factsOf(engine: Engine, instanceId: string): Promise<Facts | undefined> {
  const instance = await engine.get(instanceId);
  return instance && { instance, history: await engine.history(instanceId) };
}

/**
 * A closed folder after several lives, with tables and a log: instances that have ended, were purged,
 * wait for events, timers and children. To be removed by the caller, with the folder that it is in.
 */
export async function makeKnownFolder({
  groups = 12,
  endedInput = () => "x".repeat(40),
}: KnownFolderOptions = {}): Promise<KnownFolder> {
  const dataDir = join(await mkdtemp(join(tmpdir(), "pawl-salvage-")), "data");
  const truth = new Map<string, Facts | undefined>();
  const outputs = new Map<string, string>();
  for (let life = 0; life < lives; life += 1) {
    const engine = await openEngine({ dataDir, clock: new ManualClock(), commitWaitMs: 0 });
    connect(engine);
    for (let group = 0; group < groups; group += 1) {
      await startGroup(engine, `${life}-${group}`, endedInput(), truth, outputs);
    }
    await engine.idle();
    for (let group = 0; group < groups; group += 1) {
      await engine.purge(`purged-${life}-${group}`);
      if (life > 0) await engine.raiseEvent(`waiting-${life - 1}-${group}`, "go", "2");
    }
    await engine.idle();
    for (const id of truth.keys()) truth.set(id, await factsOf(engine, id));
    await engine.close();
  }
  return { dataDir, truth, outputs };
}

async function startGroup(
  engine: Engine,
  name: string,
  endedInput: string,
  truth: Map<string, undefined | Facts>,
  outputs: Map<string, string>,
): Promise<void> {
  const start = async (workflow: string, instanceId: string, input: string): Promise<void> => {
    truth.set(instanceId, undefined);
    await engine.start({ workflow, instanceId, input, tags: { name } });
  };
  await start("chain", `ended-${name}`, endedInput);
  await start("chain", `purged-${name}`, "y");
  await start("gather", `waiting-${name}`, "3");
  await start("sleep", `asleep-${name}`, "1005000");
  await start("parent", `parent-${name}`, `gather child-${name} 1`);
  truth.set(`child-${name}`, undefined);
  await engine.raiseEvent(`waiting-${name}`, "go", "1");
  outputs.set(`waiting-${name}`, "1,2,3");
  outputs.set(`asleep-${name}`, "woke at 1005000");
  outputs.set(`child-${name}`, "3");
  outputs.set(`parent-${name}`, "child said 3");
}

/** Lets everything end that waits, but what `without` has. */
async function finish(
  engine: Engine,
  clock: ManualClock,
  { outputs }: KnownFolder,
  without: ReadonlySet<string>,
): Promise<void> {
  connect(engine);
  for (const id of outputs.keys()) {
    if (without.has(id) || !/^(waiting|child)/.test(id)) continue;
    if (id.startsWith(`waiting-${lives - 1}`)) await engine.raiseEvent(id, "go", "2");
    await engine.raiseEvent(id, "go", "3");
  }
  clock.moveTo(1_005_000);
  await engine.idle();
}

/** The names of folders that have what was damaged. */
export async function asideIn(dataDir: string): Promise<string[]> {
  return (await readdir(dataDir)).filter((name) => name.startsWith("damaged-"));
}

/** A damaged folder that is served. */
export interface Served {
  readonly engine: Engine;
  readonly clock: ManualClock;
  readonly parked: Set<string>;
  readonly log: readonly LogLine[];
}

/** Opens a damaged copy of a known folder and holds what is served against the truth. */
export async function serveKnown({ truth }: KnownFolder, dataDir: string): Promise<Served> {
  const clock = new ManualClock();
  const log: LogLine[] = [];
  const engine = await openOnDisk(dataDir, { clock, logger: loggerInto(log) });
  const parked = new Set<string>();
  for (const [id, facts] of truth) {
    try {
      expect([id, await factsOf(engine, id)]).toEqual([id, facts]);
    } catch (error) {
      if (!isEngineError(error)) throw error;
      expect([id, error.code]).toEqual([id, "INSTANCE_DAMAGED"]);
      parked.add(id);
    }
  }
  return { engine, clock, parked, log };
}

/** Lets everything end that is not parked, as it should. */
export async function finishKnown(known: KnownFolder, served: Served): Promise<void> {
  const { engine, clock, parked } = served;
  await finish(engine, clock, known, parked);
  for (const [id, output] of known.outputs) {
    // A parent whose child is parked waits for it, and says so.
    if (parked.has(id) || parked.has(id.replace("parent", "child"))) continue;
    expect([id, (await engine.get(id))?.output]).toEqual([id, output]);
  }
}

/** All blocks of a folder's tables, with the table's file. */
export async function blocksOf(dataDir: string): Promise<{ file: string; block: TableBlock }[]> {
  const { tables } = await listWrites(join(dataDir, "db"));
  const found: { file: string; block: TableBlock }[] = [];
  for (const { name, fact } of tables) {
    const file = join("db", name);
    for await (const block of readBlocks(join(dataDir, file), fact)) found.push({ file, block });
  }
  return found;
}

/** Changes a byte of a file, in its place. */
export function flip(path: string, at: number): void {
  const file = openSync(path, "r+");
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ 0x10;
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}
