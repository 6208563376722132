// SPDX-License-Identifier: Apache-2.0

import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** True when a field's wire type, and its content where that has a length, are what the schema says. */
export type FieldRule = (wireType: WireType, content: Uint8Array) => boolean;

/** Rules for fields of a message by number, and for those of messages within. Others are kept. */
export interface FieldRules {
  readonly [field: number]: FieldRule | FieldRules;
}

const noContent = new Uint8Array();

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
    return clean(bytes, rules);
  } catch {
    return bytes;
  }
}

function clean(bytes: Uint8Array, rules: FieldRules): Uint8Array {
  const reader = new BinaryReader(bytes);
  let writer: BinaryWriter | undefined;
  /** From here on nothing has been copied yet. */
  let copiedTo = 0;
  while (reader.pos < reader.len) {
    const at = reader.pos;
    const [number, wireType] = reader.tag();
    const isDelimited = wireType === WireType.LengthDelimited;
    const content = isDelimited ? reader.bytes() : noContent;
    if (!isDelimited) reader.skip(wireType, number);
    const rule = rules[number];
    if (rule === undefined) continue;
    const kept = keep(rule, wireType, content);
    if (kept === content) continue;
    writer ??= new BinaryWriter();
    writer.raw(bytes.subarray(copiedTo, at));
    if (kept !== undefined) writer.tag(number, wireType).bytes(kept);
    copiedTo = reader.pos;
  }
  return writer === undefined ? bytes : writer.raw(bytes.subarray(copiedTo)).finish();
}

/** The content of a field without what is foreign in it; undefined for a field that is foreign. */
function keep(
  rule: FieldRule | FieldRules,
  wireType: WireType,
  content: Uint8Array,
): Uint8Array | undefined {
  if (typeof rule === "function") return rule(wireType, content) ? content : undefined;
  return wireType === WireType.LengthDelimited ? clean(content, rule) : content;
}
