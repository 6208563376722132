// SPDX-License-Identifier: Apache-2.0

import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "../../errors.js";
import { hasCode } from "../side-file.js";

const holderName = "holder.json";

/** Who has the data folder open. For people: the database's own lock is the guard. */
export interface Holder {
  readonly pid: number;
  readonly since: string;
}

/** Names this process as the holder. */
export async function writeHolder(dataDir: string): Promise<void> {
  const holder: Holder = { pid: process.pid, since: new Date().toISOString() };
  const file = await open(join(dataDir, holderName), "w");
  try {
    await file.writeFile(`${JSON.stringify(holder)}\n`);
  } finally {
    await file.close();
  }
}

/** Takes the name away again. Does not reject: a name that stays is that of a process that is gone. */
export async function removeHolder(dataDir: string): Promise<void> {
  await rm(join(dataDir, holderName), { force: true }).catch(() => {});
}

/** Who has the folder, as far as it is known. */
export async function readHolder(dataDir: string): Promise<Holder | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(join(dataDir, holderName), "utf8"));
    if (typeof value !== "object" || value === null) return undefined;
    if (!("pid" in value) || typeof value.pid !== "number") return undefined;
    if (!("since" in value) || typeof value.since !== "string") return undefined;
    return { pid: value.pid, since: value.since };
  } catch {
    return undefined;
  }
}

/** How long a process that has just got the folder may take to write its name. */
const holderPatienceMs = 800;
const holderPauseMs = 20;

/** Who has a folder that is locked; a name of one who is gone is out of date. */
export async function findHolder(dataDir: string): Promise<Holder | undefined> {
  for (let waitedMs = 0; waitedMs < holderPatienceMs; waitedMs += holderPauseMs) {
    const holder = await readHolder(dataDir);
    if (holder !== undefined && isAlive(holder.pid)) return holder;
    await sleep(holderPauseMs);
  }
  return undefined;
}

/** The error of a folder that somebody has. */
export function locked(dataDir: string, holder: Holder | undefined, cause?: unknown): EngineError {
  const who =
    holder === undefined ? "another process" : `process ${holder.pid} since ${holder.since}`;
  const details = holder === undefined ? { dataDir } : { dataDir, pid: String(holder.pid) };
  return new EngineError(
    "STORE_LOCKED",
    `the data folder ${dataDir} is in use by ${who}: stop it, or name another folder`,
    { details, cause },
  );
}

/** True when there is such a process. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, "EPERM");
  }
}
