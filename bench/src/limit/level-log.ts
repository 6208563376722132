// SPDX-License-Identifier: Apache-2.0

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** One write of a batch, as LevelDB logged it. */
export type LoggedWrite =
  | { readonly type: "put"; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: "del"; readonly key: Buffer };

/** The key of a write, and its value when it has one. */
export function partsOf(write: LoggedWrite): Buffer[] {
  return write.type === "put" ? [write.key, write.value] : [write.key];
}

/** Sizes of LevelDB's log format: doc/log_format.md of its repository. */
const blockBytes = 32_768;
const headerBytes = 7;
/** Parts of a record that does not fit into its block. */
const parts = { full: 1, first: 2, middle: 3, last: 4 };
/** A batch begins with a sequence number of 8 bytes and a count of 4. */
const batchHeaderBytes = 12;
const putTag = 1;

/**
 * Every batch in the logs of a folder, oldest first: those of a LevelDB folder that is closed, or what
 * `LogKeeper` kept of one.
 * @throws Error if one is missing: LevelDB numbers all writes, one after the other
 */
export async function readLoggedBatches(folder: string): Promise<LoggedWrite[][]> {
  const batches: LoggedWrite[][] = [];
  let written: bigint | undefined;
  for (const name of (await readdir(folder)).filter(isLog).sort()) {
    for (const record of parseLog(await readFile(join(folder, name)))) {
      const firstNumber = record.readBigUInt64LE(0);
      if (written !== undefined && firstNumber !== written) {
        throw new Error(`writes ${written} to ${firstNumber} are in no log of ${folder}`);
      }
      const batch = parseBatch(record);
      written = firstNumber + BigInt(batch.length);
      batches.push(batch);
    }
  }
  return batches;
}

/** A file name is that of one of LevelDB's logs. */
export function isLog(name: string): boolean {
  return name.endsWith(".log");
}

/** The records of a log. */
function* parseLog(log: Buffer): Generator<Buffer> {
  let begun: Buffer[] = [];
  for (let at = 0; at + headerBytes <= log.length; ) {
    const roomInBlock = blockBytes - (at % blockBytes);
    if (roomInBlock < headerBytes) {
      at += roomInBlock;
      continue;
    }
    const sizeBytes = log.readUInt16LE(at + 4);
    const part = log[at + 6];
    const data = log.subarray(at + headerBytes, at + headerBytes + sizeBytes);
    if (part === parts.full || part === parts.first) begun = [];
    begun.push(data);
    if (part === parts.full || part === parts.last) yield Buffer.concat(begun);
    at += headerBytes + sizeBytes;
  }
}

function parseBatch(record: Buffer): LoggedWrite[] {
  const writes: LoggedWrite[] = [];
  let at = batchHeaderBytes;
  const readNumber = (): number => {
    let number = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = record.readUInt8(at);
      at += 1;
      number += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return number;
    }
  };
  const readSlice = (): Buffer => {
    const sizeBytes = readNumber();
    at += sizeBytes;
    return record.subarray(at - sizeBytes, at);
  };
  while (at < record.length) {
    const isPut = record[at] === putTag;
    at += 1;
    const key = readSlice();
    writes.push(isPut ? { type: "put", key, value: readSlice() } : { type: "del", key });
  }
  return writes;
}
