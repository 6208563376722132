// SPDX-License-Identifier: Apache-2.0

import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "../side-file.js";
import { commitKey, commitOf, isCommitKey } from "../store-key.js";
import { isDamagedWithin, type LogFile, readLogFile } from "./log-file.js";
import { compareAges, foldManifest, type Manifest, type TableFact, userKey } from "./manifest.js";
import { checkTable, isDiskError, lastKeyBefore } from "./table-file.js";
import { readBatchHeader, writesIn } from "./write-batch.js";

// LevelDB repairs in silence: at open it drops what it cannot read of a log, and deletes every table
// that its manifest does not name. So its files are read before it may touch them.

/** A database's files are not as LevelDB left them. Nothing was changed. */
export class FilesDamaged extends Error {
  /** The file, in the database's folder. */
  readonly file: string;
  /** What is wrong with it, and maybe with others. */
  readonly what: string;
  /** Only tables are damaged: what can be read can be saved (see `store/salvage`). */
  readonly isConfined: boolean;

  constructor(file: string, what: string, isConfined = false) {
    super(`${file} ${what}`);
    this.file = file;
    this.what = what;
    this.isConfined = isConfined;
  }
}

/** What an inspection read. */
export interface Inspection {
  /** The files that make up the database. */
  readonly fileNames: readonly string[];
  /** The newest commit in it; 0: there is none. */
  readonly newestCommit: number;
  /** Its manifest ends in a record that was not finished. */
  readonly isManifestTorn: boolean;
}

/**
 * Reads CURRENT, manifest and logs of a closed database whole, and its tables, newest first: of them at
 * most about `tableBytes`. What a crash may leave is sound: an unfinished record at the end of the newest
 * log or of the manifest. Throws FilesDamaged.
 */
export async function inspectDatabase(
  folder: string,
  tableBytes = Number.POSITIVE_INFINITY,
): Promise<Inspection> {
  const names = new Set(await readdir(folder));
  const { name, manifest, tornAt } = await readManifest(folder, names);
  const tables = tableFiles(names, [...manifest.tables.values()]).reverse();
  const logs = await inspectLogs(folder, names, manifest);
  await checkTables(folder, tables, tableBytes);
  let { newestCommit } = logs;
  for (const table of tables) {
    newestCommit = Math.max(newestCommit, await newestCommitOf(folder, table));
  }
  const fileNames = ["CURRENT", name, ...tables.map((table) => table.name), ...logs.names];
  return { fileNames, newestCommit, isManifestTorn: tornAt !== undefined };
}

/** Where in its manifest a database has a record that was not finished. Throws FilesDamaged. */
export async function findTornRecord(
  folder: string,
): Promise<{ readonly name: string; readonly at: number } | undefined> {
  const { name, tornAt } = await readManifest(folder, new Set(await readdir(folder)));
  return tornAt === undefined ? undefined : { name, at: tornAt };
}

/** A table of a database. */
export interface TableFile {
  /** Its file's name; where the file is missing, the one that it should have. */
  readonly name: string;
  readonly fact: TableFact;
}

/** The files in which a database's writes are, the oldest writes of each key first. Throws FilesDamaged. */
export async function listWrites(
  folder: string,
): Promise<{ readonly tables: readonly TableFile[]; readonly logs: readonly string[] }> {
  const names = new Set(await readdir(folder));
  const { manifest } = await readManifest(folder, names);
  const tables = tableFiles(names, [...manifest.tables.values()]);
  tables.sort((a, b) => compareAges(a.fact, b.fact));
  return { tables, logs: (await inspectLogs(folder, names, manifest)).names };
}

/** The tables of a database that may be open, the oldest first. Throws FilesDamaged. */
export async function listTables(folder: string): Promise<TableFile[]> {
  const names = new Set(await readdir(folder));
  const { manifest } = await readManifest(folder, names);
  return tableFiles(names, [...manifest.tables.values()]);
}

/** The files of tables, the oldest first. */
function tableFiles(names: ReadonlySet<string>, facts: readonly TableFact[]): TableFile[] {
  return facts
    .map((fact) => ({ name: tableFileName(names, fact.number), fact }))
    .sort((a, b) => a.fact.number - b.fact.number);
}

/** The newest commit whose mark is in a table; 0: there is none. */
async function newestCommitOf(folder: string, { name, fact }: TableFile): Promise<number> {
  const bound = commitKey(Number.MAX_SAFE_INTEGER);
  const [first, last] = [userKey(fact.first), userKey(fact.last)];
  const mayHaveMarks = Buffer.compare(first, bound) < 0 && Buffer.compare(last, commitKey(0)) >= 0;
  if (!mayHaveMarks) return 0;
  try {
    const key = await lastKeyBefore(join(folder, name), fact, bound);
    return key !== undefined && isCommitKey(key) ? commitOf(key) : 0;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FilesDamaged(name, `is damaged: ${error.message}`, true);
  }
}

/** Faults that are named in an error. */
const namedFaults = 5;

async function checkTables(
  folder: string,
  tables: readonly TableFile[],
  tableBytes: number,
): Promise<void> {
  const faults: { readonly name: string; readonly what: string }[] = [];
  let left = tableBytes;
  for (const table of tables) {
    const misfit = await findMisfit(folder, table);
    if (misfit !== undefined) faults.push({ name: table.name, what: misfit });
    if (misfit !== undefined || left <= 0) continue;
    const found = await checkTable(join(folder, table.name), table.fact, (bytes) => {
      left -= bytes;
    });
    faults.push(...found.map(({ what }) => ({ name: table.name, what: `is damaged: ${what}` })));
  }
  const [first, ...others] = faults;
  if (first === undefined) return;
  const named = others.slice(0, namedFaults - 1).map(({ name, what }) => `; ${name} ${what}`);
  const rest = others.length - named.length;
  const what = `${first.what}${named.join("")}${rest > 0 ? `; and ${rest} more` : ""}`;
  throw new FilesDamaged(first.name, what, true);
}

/** What of a table's file is not as the manifest has it; undefined: it is there, with all its bytes. */
async function findMisfit(folder: string, { name, fact }: TableFile): Promise<string | undefined> {
  try {
    const { size } = await stat(join(folder, name));
    if (size === fact.sizeBytes) return undefined;
    return `has ${size} bytes where ${fact.sizeBytes} were written`;
  } catch (error) {
    if (isDiskError(error)) return `cannot be read (${error.message})`;
    if (!hasCode(error, "ENOENT")) throw error;
    return "is missing";
  }
}

/** True when there are writes in a database folder, readable or not. */
export async function hasWrites(folder: string): Promise<boolean> {
  const names = await readdir(folder);
  if (names.some((name) => tableName.test(name))) return true;
  for (const name of names.filter((each) => logName.test(each))) {
    if (readLogFile(await readFile(join(folder, name))).records.length > 0) return true;
  }
  return false;
}

/** The table's file, whose name has one of two endings; where there is none, the name of today. */
function tableFileName(names: ReadonlySet<string>, number: number): string {
  const stem = String(number).padStart(6, "0");
  const old = `${stem}.sst`;
  return names.has(old) ? old : `${stem}.ldb`;
}

const logName = /^(\d+)\.log$/;
const tableName = /^\d+\.(ldb|sst)$/;

async function readManifest(
  folder: string,
  names: ReadonlySet<string>,
): Promise<{ name: string; manifest: Manifest; tornAt: number | undefined }> {
  if (!names.has("CURRENT")) throw new FilesDamaged("CURRENT", "is missing");
  const current = await readBytes(folder, "CURRENT");
  const [, name] = /^(MANIFEST-\d+)\n$/.exec(current.toString("latin1")) ?? [];
  if (name === undefined) throw new FilesDamaged("CURRENT", "names no manifest");
  if (!names.has(name)) throw new FilesDamaged(name, "is missing");
  const file = readLogFile(await readBytes(folder, name));
  requireSound(name, file);
  try {
    const manifest = foldManifest(file.records.map(({ bytes }) => bytes));
    return { name, manifest, tornAt: file.faultAt };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FilesDamaged(name, `cannot be understood: ${error.message}`);
  }
}

/** Reads a file whole. Throws FilesDamaged where the disk cannot. */
export async function readBytes(folder: string, name: string): Promise<Buffer> {
  try {
    return await readFile(join(folder, name));
  } catch (error) {
    if (!isDiskError(error)) throw error;
    throw new FilesDamaged(name, `cannot be read (${error.message})`);
  }
}

/** Each write has a sequence number, and the next one's is known from it. */
async function inspectLogs(
  folder: string,
  names: ReadonlySet<string>,
  { logNumber, lastSequence }: Manifest,
): Promise<{ names: string[]; newestCommit: number }> {
  const logs = [...names]
    .flatMap((name) => {
      const [, digits] = logName.exec(name) ?? [];
      return digits === undefined ? [] : { name, number: Number(digits) };
    })
    .filter(({ number }) => number >= logNumber)
    .sort((a, b) => a.number - b.number);
  if (logNumber > 0 && logs[0]?.number !== logNumber) {
    throw new FilesDamaged(`${String(logNumber).padStart(6, "0")}.log`, "is missing");
  }
  let next: number | undefined;
  let newest: Uint8Array | undefined;
  let torn: string | undefined;
  for (const { name } of logs) {
    const file = readLogFile(await readBytes(folder, name));
    requireSound(name, file);
    // Who writes into a log has left the one before it whole.
    if (torn !== undefined && file.records.length > 0) throw new FilesDamaged(torn, "is cut short");
    if (file.faultAt !== undefined) torn = name;
    for (const { at, bytes } of file.records) {
      const header = readBatchHeader(bytes);
      if (header === undefined) throw new FilesDamaged(name, `is damaged at byte ${at}`);
      const { sequence, writes } = header;
      const isNext = next === undefined ? sequence <= lastSequence + 1 : sequence === next;
      if (!isNext) {
        throw new FilesDamaged(name, `lacks writes ${next ?? lastSequence + 1} to ${sequence - 1}`);
      }
      next = sequence + writes;
      newest = bytes;
    }
  }
  return {
    names: logs.map(({ name }) => name),
    newestCommit: newest === undefined ? 0 : commitIn(newest),
  };
}

function requireSound(name: string, file: LogFile): void {
  if (!isDamagedWithin(file)) return;
  throw new FilesDamaged(name, `is damaged at byte ${file.faultAt}`);
}

/** The commit whose mark a write leaves; 0 when it leaves none. */
function commitIn(batch: Uint8Array): number {
  let commit = 0;
  for (const { key, value } of writesIn(batch)) {
    if (value !== undefined && isCommitKey(key)) commit = commitOf(key);
  }
  return commit;
}
