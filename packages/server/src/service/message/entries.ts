// SPDX-License-Identifier: Apache-2.0

import type { BackupPiece } from "@pawl/engine";

type Entries = BackupPiece["entries"];

const headerBytes = 8;
/** A message is sent once it has this many bytes; a single entry may be longer. */
const messageBytes = 512 * 1024;

/** Puts entries one after the other, in messages of a fair size (see `BackupEntries`). */
export function* packEntries(entries: Entries): Generator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for (const [key, value] of entries) {
    const header = Buffer.allocUnsafe(headerBytes);
    header.writeUInt32BE(key.length, 0);
    header.writeUInt32BE(value.length, 4);
    parts.push(header, key, value);
    sizeBytes += headerBytes + key.length + value.length;
    if (sizeBytes < messageBytes) continue;
    yield Buffer.concat(parts);
    parts = [];
    sizeBytes = 0;
  }
  if (parts.length > 0) yield Buffer.concat(parts);
}

/** Takes entries apart again. Throws RangeError when they are cut short. */
export function unpackEntries(data: Uint8Array): Entries {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const entries: [Uint8Array, Uint8Array][] = [];
  for (let at = 0; at < bytes.length; ) {
    const keyAt = at + headerBytes;
    const valueAt = keyAt + bytes.readUInt32BE(at);
    at = valueAt + bytes.readUInt32BE(at + 4);
    if (at > bytes.length) throw new RangeError("an entry of a backup is cut short");
    entries.push([bytes.subarray(keyAt, valueAt), bytes.subarray(valueAt, at)]);
  }
  return entries;
}
