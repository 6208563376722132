// SPDX-License-Identifier: Apache-2.0

import { maskedCrc32c } from "./crc32c.js";

// The format of LevelDB's logs and manifests (doc/log_format.md): blocks of 32 KiB, in each of them
// pieces with a header of checksum (4 bytes), length (2) and type (1). A record is one piece, or a
// first, middle and last ones. A block's end that is too short for a header is padding.

const blockBytes = 32_768;
const headerBytes = 7;
const full = 1;
const first = 2;
const last = 4; // 3: middle

/** What a log file holds. */
export interface LogFile {
  /** Whole records with sound checksums, in order. */
  readonly records: readonly LogRecord[];
  /** Where the first piece stands that is unsound or belongs to no record; undefined: all is sound. */
  readonly faultAt: number | undefined;
}

/** A record, and where it begins in its file. */
export interface LogRecord {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/**
 * Reads a log file as LevelDB does, but tells what LevelDB passes over in silence. What a writer
 * that died left at the end is a fault too: after it stands no whole record.
 */
export function readLogFile(file: Uint8Array): LogFile {
  const records: LogRecord[] = [];
  let faultAt: number | undefined;
  let begun: { readonly at: number; readonly parts: Uint8Array[] } | undefined;
  for (const { at, type, bytes } of piecesOf(file)) {
    const isStart = type === full || type === first;
    // A first piece without the others, or others without the first.
    if (bytes === undefined || isStart === (begun !== undefined)) faultAt ??= begun?.at ?? at;
    if (bytes === undefined) begun = undefined;
    else if (type === full) records.push({ at, bytes });
    else if (type === first) begun = { at, parts: [bytes] };
    else if (begun !== undefined) begun.parts.push(bytes);
    if (type === full) begun = undefined;
    if (type !== last || begun === undefined) continue;
    records.push({ at: begun.at, bytes: Buffer.concat(begun.parts) });
    begun = undefined;
  }
  if (begun !== undefined) faultAt ??= begun.at;
  return { records, faultAt };
}

/** True when a whole record stands after the fault: the writer went on, so it did not die there. */
export function isDamagedWithin({ records, faultAt }: LogFile): boolean {
  return faultAt !== undefined && (records.at(-1)?.at ?? -1) > faultAt;
}

interface LogPiece {
  readonly at: number;
  readonly type: number;
  /** Undefined: unsound; the rest of its block is passed over. */
  readonly bytes: Uint8Array | undefined;
}

function* piecesOf(file: Uint8Array): Generator<LogPiece> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let block = 0; block < file.length; block += blockBytes) {
    const end = Math.min(block + blockBytes, file.length);
    let at = block;
    while (at + headerBytes <= end) {
      const bodyAt = at + headerBytes;
      const length = view.getUint16(at + 4, true);
      const type = view.getUint8(at + 6);
      const isKnown = type >= full && type <= last && bodyAt + length <= end;
      const checked = file.subarray(at + 6, bodyAt + length);
      if (!isKnown || maskedCrc32c(checked) !== view.getUint32(at, true)) {
        yield { at, type: 0, bytes: undefined };
        break;
      }
      yield { at, type, bytes: file.subarray(bodyAt, bodyAt + length) };
      at = bodyAt + length;
    }
    // A header that was cut off at the end of the file.
    if (at < end && at + headerBytes > end && end < block + blockBytes) {
      yield { at, type: 0, bytes: undefined };
    }
  }
}
