// SPDX-License-Identifier: Apache-2.0

import { resolve } from "node:path";
import {
  type BackupPiece,
  dataFormatVersion,
  EngineError,
  makeDataFolder,
  restoreFolder,
  writeBackup,
} from "@pawl/engine";
import { AdminService, type BackupResponse } from "@pawl/protocol";
import { componentFolder, listKeptComponents } from "../component/data-folder.js";
import { nameProblem } from "../component/name.js";
import { unpackEntries } from "../service/message/entries.js";
import { reasonOf } from "./reason.js";
import { connectTo, type RemoteFlags } from "./remote.js";
import { failWith, printReports, type TitledReport } from "./report.js";

/**
 * Backs a running server up into a new folder, which is verified and opens like any data folder: the
 * built-in component, and in it all others, each as it was when its part began. Prints what is in it.
 * Exit code 0: all of it is sound; 2: it is whole, but has damaged instances; 1: there is no backup, and
 * nothing is left of it.
 */
export async function backup(dataDir: string, flags: RemoteFlags): Promise<void> {
  const { address, component = "" } = flags;
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    const open = (name: string): Messages => {
      const { client, call } = connectTo(AdminService, { ...flags, component: name });
      return client.backup({}, { ...call, signal: controller.signal });
    };
    const title = `backup of ${address} in ${dataDir}`;
    printReports(await writeAll(resolve(dataDir), component, open, title));
  } catch (error) {
    const reason = controller.signal.aborted ? "it was interrupted" : reasonOf(error);
    failWith(`no backup was made of ${address}: ${reason}`);
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}

/** Makes one folder of a component, and of those that its backup tells of. */
function writeAll(
  dataDir: string,
  component: string,
  open: (name: string) => Messages,
  title: string,
): Promise<TitledReport[]> {
  return makeDataFolder(dataDir, async (folder) => {
    const others: string[] = [];
    const pieces = (name: string): AsyncIterable<BackupPiece> =>
      piecesOf(() => open(name), others, progressLine(name === "" ? "copied" : `copied ${name}`));
    const reports = [{ title, report: await writeBackup(folder, pieces(component)) }];
    for (const name of others) {
      const report = await writeBackup(componentFolder(folder, name), pieces(name));
      reports.push({ title: `component ${name}`, report });
    }
    return reports;
  });
}

/**
 * Makes a new data folder of a backup, with the components in it, verifies it and prints what is in it.
 * Exit code 0: done; 2: done, with damaged instances that were allowed; 1: not done, and nothing is left
 * of it.
 */
export async function restore(
  backupDir: string,
  dataDir: string,
  { allowDamaged = false }: { readonly allowDamaged?: boolean },
): Promise<void> {
  try {
    const title = `${backupDir} restored in ${dataDir}`;
    printReports(await restoreAll(backupDir, resolve(dataDir), allowDamaged, title));
  } catch (error) {
    failWith(`nothing was restored: ${reasonOf(error)}`);
  }
}

function restoreAll(
  backupDir: string,
  dataDir: string,
  allowDamaged: boolean,
  title: string,
): Promise<TitledReport[]> {
  return makeDataFolder(dataDir, async (folder) => {
    const onProgress = progressLine("restored");
    const report = await restoreFolder(backupDir, folder, { allowDamaged, onProgress });
    const reports = [{ title, report }];
    for (const name of await listKeptComponents(backupDir)) {
      const [from, to] = [componentFolder(backupDir, name), componentFolder(folder, name)];
      const options = { allowDamaged, onProgress: progressLine(`restored ${name}`) };
      reports.push({ title: `component ${name}`, report: await restoreFolder(from, to, options) });
    }
    return reports;
  });
}

type Messages = AsyncIterable<BackupResponse>;

/**
 * Checks that a backup is whole while it goes by. Calls once there is somebody to take the answer.
 * @param others gets the names of the components that the backup tells of
 */
async function* piecesOf(
  open: () => Messages,
  others: string[],
  onProgress: (share: number) => void,
): AsyncGenerator<BackupPiece, void> {
  let count = 0n;
  let isWhole = false;
  for await (const { part } of open()) {
    if (part.case === "header" && part.value.formatVersion !== dataFormatVersion) {
      const { formatVersion } = part.value;
      throw new EngineError(
        "STORE_TOO_NEW",
        `the server has format ${formatVersion}, this pawl knows ${dataFormatVersion}: use the server's version`,
      );
    }
    if (part.case === "header") others.push(...part.value.components.map(requireFolderName));
    if (part.case === "trailer") isWhole = part.value.entryCount === count;
    if (part.case !== "entries") continue;
    const entries = unpackEntries(part.value.data);
    count += BigInt(entries.length);
    onProgress(part.value.share);
    yield { entries, share: part.value.share };
  }
  if (!isWhole) throw new EngineError("STORE_UNAVAILABLE", "the backup ended before it was whole");
}

/** A server's word for a component becomes a folder here. */
function requireFolderName(name: string): string {
  if (nameProblem(name) === undefined) return name;
  throw new EngineError(
    "INVALID_ARGUMENT",
    `the name of the component "${name}" can be no folder's`,
  );
}

/** Writes how far it is, over and over on one line, when somebody is looking. */
function progressLine(what: string): (share: number) => void {
  if (!process.stderr.isTTY) return () => {};
  let last = -1;
  return (share) => {
    const percent = Math.floor(share * 100);
    if (percent === last) return;
    last = percent;
    process.stderr.write(`\r${what} ${percent} %${percent === 100 ? "\n" : ""}`);
  };
}
