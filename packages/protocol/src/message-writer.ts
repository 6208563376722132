// SPDX-License-Identifier: Apache-2.0

import type { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { int32, int64, open, text } from "./field-writer.js";

// Fields that hold one of the small messages that many others have.

/** A message that says no more than that it is there. */
export function emptyMessage(writer: BinaryWriter, field: number): void {
  open(writer, field);
  writer.join();
}

/** A google.protobuf.StringValue. */
export function wrapped(writer: BinaryWriter, field: number, value: string | undefined): void {
  if (value === undefined) return;
  open(writer, field);
  text(writer, 1, value);
  writer.join();
}

/** A google.protobuf.Timestamp. */
export function timestamp(
  writer: BinaryWriter,
  field: number,
  { seconds, nanos }: Timestamp,
): void {
  open(writer, field);
  int64(writer, 1, seconds);
  int32(writer, 2, nanos);
  writer.join();
}
