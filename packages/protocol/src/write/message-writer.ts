// SPDX-License-Identifier: Apache-2.0

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { ByteWriter } from "./byte-writer.js";
import { int32, int64, open, text } from "./field-writer.js";

// Fields that hold one of the small messages that many others have.

/** A message that says no more than that it is there. */
export function emptyMessage(writer: ByteWriter, field: number): void {
  open(writer, field);
  writer.join();
}

/** A google.protobuf.StringValue. */
export function wrapped(writer: ByteWriter, field: number, value: string | undefined): void {
  if (value === undefined) return;
  open(writer, field);
  text(writer, 1, value);
  writer.join();
}

/** A google.protobuf.Timestamp. */
export function timestamp(writer: ByteWriter, field: number, { seconds, nanos }: Timestamp): void {
  open(writer, field);
  int64(writer, 1, seconds);
  int32(writer, 2, nanos);
  writer.join();
}
