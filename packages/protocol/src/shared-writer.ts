// SPDX-License-Identifier: Apache-2.0

import { BinaryWriter } from "@bufbuild/protobuf/wire";

/** A writer with a larger buffer is let go after use. */
const keptBytes = 64 * 1024;

let idle: BinaryWriter | undefined;

/** The bytes that `write` writes of a value. The calls share one writer, so that its buffer is made once. */
export function encodeWith<T>(
  write: (writer: BinaryWriter, value: T) => void,
  value: T,
): Uint8Array {
  const writer = idle ?? new BinaryWriter();
  // Taken: a call from within gets one of its own, and one that `write` leaves half done is dropped.
  idle = undefined;
  write(writer, value);
  const bytes = writer.finish();
  if (bytes.length <= keptBytes) idle = writer;
  return bytes;
}
