// SPDX-License-Identifier: Apache-2.0

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type FieldRules, hasLength, isNumber, withoutForeignFields } from "./foreign-fields.js";

const rules: FieldRules = { 1: isNumber, 2: { 3: hasLength } };

function text(writer: BinaryWriter, field: number, value: string): BinaryWriter {
  return writer.tag(field, WireType.LengthDelimited).string(value);
}

function number(writer: BinaryWriter, field: number, value: number): BinaryWriter {
  return writer.tag(field, WireType.Varint).int32(value);
}

describe("withoutForeignFields()", () => {
  test("gives a message that has none back as it is", () => {
    const inner = text(new BinaryWriter(), 3, "kept").finish();
    const writer = text(number(new BinaryWriter(), 1, 7), 5, "kept");
    const bytes = writer.tag(2, WireType.LengthDelimited).bytes(inner).finish();
    expect(withoutForeignFields(bytes, rules)).toBe(bytes);
  });

  test("leaves foreign fields out, wherever they are, and keeps all others in order", () => {
    const foreign = number(text(new BinaryWriter(), 4, "kept"), 3, 300).finish();
    const own = text(new BinaryWriter(), 4, "kept").finish();
    const write = (isForeign: boolean): Uint8Array => {
      const writer = new BinaryWriter();
      if (isForeign) text(writer, 1, "foreign");
      number(writer, 1, 8);
      writer.tag(2, WireType.LengthDelimited).bytes(isForeign ? foreign : own);
      if (isForeign) text(writer, 1, "");
      text(writer, 6, "kept");
      if (isForeign) text(writer, 1, "foreign");
      return writer.finish();
    };
    expect(withoutForeignFields(write(true), rules)).toEqual(write(false));
  });

  test("gives any other bytes back as they are", () => {
    const property = fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const cleaned = withoutForeignFields(bytes, rules);
      expect(cleaned.length).toBeLessThanOrEqual(bytes.length);
      expect(withoutForeignFields(cleaned, rules)).toBe(cleaned);
    });
    fc.assert(property, { numRuns: 2000 });
  });
});
