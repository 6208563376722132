// SPDX-License-Identifier: Apache-2.0

import {
  type BackupPiece,
  dataFormatVersion,
  EngineError,
  restoreFolder,
  writeBackup,
} from "@pawl/engine";
import { AdminService, type BackupResponse } from "@pawl/protocol";
import { unpackEntries } from "../service/message/entries.js";
import { connectTo, type RemoteFlags, reasonOf } from "./remote.js";
import { failWith, printReport } from "./report.js";

/**
 * Backs a running server up into a new folder, which is verified and opens like any data folder.
 * Prints what is in it. Exit code 0: all of it is sound; 2: it is whole, but has damaged instances; 1:
 * there is no backup, and nothing is left of it.
 */
export async function backup(dataDir: string, flags: RemoteFlags): Promise<void> {
  const { address } = flags;
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    const { client, call } = connectTo(AdminService, flags);
    const open = (): Messages => client.backup({}, { ...call, signal: controller.signal });
    const report = await writeBackup(dataDir, piecesOf(open, progressLine("copied")));
    printReport(report, `backup of ${address} in ${dataDir}`);
  } catch (error) {
    const reason = controller.signal.aborted ? "it was interrupted" : reasonOf(error);
    failWith(`no backup was made of ${address}: ${reason}`);
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}

/**
 * Makes a new data folder of a backup, verifies it and prints what is in it. Exit code 0: done; 2: done,
 * with damaged instances that were allowed; 1: not done, and nothing is left of it.
 */
export async function restore(
  backupDir: string,
  dataDir: string,
  { allowDamaged = false }: { readonly allowDamaged?: boolean },
): Promise<void> {
  try {
    const onProgress = progressLine("restored");
    const report = await restoreFolder(backupDir, dataDir, { allowDamaged, onProgress });
    printReport(report, `${backupDir} restored in ${dataDir}`);
  } catch (error) {
    failWith(`nothing was restored: ${reasonOf(error)}`);
  }
}

type Messages = AsyncIterable<BackupResponse>;

/** Checks that a backup is whole while it goes by. Calls once there is somebody to take the answer. */
async function* piecesOf(
  open: () => Messages,
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
    if (part.case === "trailer") isWhole = part.value.entryCount === count;
    if (part.case !== "entries") continue;
    const entries = unpackEntries(part.value.data);
    count += BigInt(entries.length);
    onProgress(part.value.share);
    yield { entries, share: part.value.share };
  }
  if (!isWhole) throw new EngineError("STORE_UNAVAILABLE", "the backup ended before it was whole");
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
