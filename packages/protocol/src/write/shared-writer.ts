// SPDX-License-Identifier: Apache-2.0

import { ByteWriter } from "./byte-writer.js";

/** A writer with a larger buffer is let go after use. */
const keptBytes = 64 * 1024;

let idle: ByteWriter | undefined;

/**
 * The bytes that `write` writes of a value, for use now: kept for long, a few of them would keep much memory
 * that is not theirs (`encodeToKeep`). The calls share one writer, so that its buffer is made once.
 */
export function encodeWith<T>(write: (writer: ByteWriter, value: T) => void, value: T): Uint8Array {
  const writer = take();
  write(writer, value);
  return giveBack(writer, writer.finish());
}

/** The bytes that `write` writes of a value, in memory of their own. */
export function encodeToKeep<T>(
  write: (writer: ByteWriter, value: T) => void,
  value: T,
): Uint8Array {
  const writer = take();
  write(writer, value);
  return giveBack(writer, writer.finishToKeep());
}

/** Taken: a call from within gets one of its own, and one that `write` leaves half done is dropped. */
function take(): ByteWriter {
  const writer = idle ?? new ByteWriter();
  idle = undefined;
  return writer;
}

function giveBack(writer: ByteWriter, bytes: Uint8Array): Uint8Array {
  if (bytes.length <= keptBytes) idle = writer;
  return bytes;
}
