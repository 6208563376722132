// SPDX-License-Identifier: Apache-2.0

import { WireType } from "@bufbuild/protobuf/wire";
import type { ByteWriter } from "./byte-writer.js";

// One function for each kind of field, for messages that are written by hand. As in all of proto3,
// zero and empty text are left out.

/** Begins a message of variable length, or of a map's entry; `writer.join()` ends it. */
export function open(writer: ByteWriter, field: number): void {
  writer.uint32((field << 3) | WireType.LengthDelimited).fork();
}

/** An int32, or an enum. */
export function int32(writer: ByteWriter, field: number, value: number): void {
  if (value !== 0) writer.uint32((field << 3) | WireType.Varint).int32(value);
}

/** A uint32. */
export function uint32(writer: ByteWriter, field: number, value: number): void {
  if (value !== 0) writer.uint32((field << 3) | WireType.Varint).uint32(value);
}

/** A fixed32. */
export function fixed32(writer: ByteWriter, field: number, value: number): void {
  if (value !== 0) writer.uint32((field << 3) | WireType.Bit32).fixed32(value);
}

/** An int64, or a uint64 below 2^63. */
export function int64(writer: ByteWriter, field: number, value: bigint | number): void {
  if (Number(value) !== 0) writer.uint32((field << 3) | WireType.Varint).int64(value);
}

/** A string. */
export function text(writer: ByteWriter, field: number, value: string): void {
  if (value !== "") writer.uint32((field << 3) | WireType.LengthDelimited).string(value);
}

/** A string that is written also when it is empty: of a map's entry, or one that may be absent. */
export function presentText(writer: ByteWriter, field: number, value: string): void {
  writer.uint32((field << 3) | WireType.LengthDelimited).string(value);
}
