// SPDX-License-Identifier: Apache-2.0

import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/**
 * True when a field's wire type, and its content where that has a length, are what the schema says. The
 * content stands in `bytes` from `from` to `to`, so that looking at it makes no object.
 */
export type FieldRule = (
  wireType: WireType,
  bytes: Uint8Array,
  from: number,
  to: number,
) => boolean;

/** Rules for fields of a message by number, and for those of messages within. Others are kept. */
export interface FieldRules {
  readonly [field: number]: FieldRule | FieldRules;
}

/** For a field that is no text, bytes, message or packed list. */
export const isNumber: FieldRule = (wireType) => wireType !== WireType.LengthDelimited;

/** For a field that is one of these. */
export const hasLength: FieldRule = (wireType) => wireType === WireType.LengthDelimited;

/**
 * Leaves out of an encoded message what another dialect of its protocol has under the same numbers.
 * Protobuf-es reads a field as its schema says, whatever its wire type, and so reads on in its midst
 * where that differs. Bytes that are no message are given back as they are, for whoever decodes them
 * to say so. The usual message, with nothing to leave out, is not copied.
 */
export function withoutForeignFields(bytes: Uint8Array, rules: FieldRules): Uint8Array {
  try {
    return clean(bytes, new BinaryReader(bytes), bytes.byteLength, rules) ?? bytes;
  } catch {
    return bytes;
  }
}

/**
 * What is left of the message that begins where the reader is and goes to `end`; undefined: all of it.
 * Leaves the reader at its end.
 */
function clean(
  bytes: Uint8Array,
  reader: BinaryReader,
  end: number,
  rules: FieldRules,
): Uint8Array | undefined {
  let writer: BinaryWriter | undefined;
  /** From here on nothing has been copied yet. */
  let copiedTo = reader.pos;
  while (reader.pos < end) {
    const at = reader.pos;
    // Not `reader.tag()`, which makes an array of what it says.
    const tag = reader.uint32();
    const number = tag >>> 3;
    const wireType: WireType = tag & 7;
    const isDelimited = wireType === WireType.LengthDelimited;
    const to = isDelimited ? reader.uint32() + reader.pos : reader.pos;
    if (number === 0 || to > end) throw new RangeError("not a message");
    const rule = rules[number];
    let content: Uint8Array | undefined;
    let isKept = true;
    if (typeof rule === "function") {
      isKept = rule(wireType, bytes, reader.pos, to);
    } else if (rule !== undefined && isDelimited) {
      content = clean(bytes, reader, to, rule);
    }
    if (isDelimited) reader.pos = to;
    else reader.skip(wireType, number);
    if (reader.pos > end) throw new RangeError("not a message");
    if (isKept && content === undefined) continue;
    writer ??= new BinaryWriter();
    writer.raw(bytes.subarray(copiedTo, at));
    if (content !== undefined) writer.tag(number, wireType).bytes(content);
    copiedTo = reader.pos;
  }
  return writer?.raw(bytes.subarray(copiedTo, end)).finish();
}
