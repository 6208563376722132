// SPDX-License-Identifier: Apache-2.0

import { BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteWriter } from "./byte-writer.js";

const text = fc
  .record({ of: fc.constantFrom("x", "é", "漢", "\ud800", "ab"), times: fc.nat({ max: 700 }) })
  .map(({ of, times }) => of.repeat(times));
const field = fc.oneof(
  text.map((value) => ["string", value] as const),
  fc.uint8Array({ maxLength: 300 }).map((value) => ["bytes", value] as const),
  fc.integer().map((value) => ["int32", value] as const),
  fc.integer({ min: 0, max: 0xffff_ffff }).map((value) => ["uint32", value] as const),
  fc.integer({ min: 0, max: 0xffff_ffff }).map((value) => ["fixed32", value] as const),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ["int64", value] as const),
  fc.integer({ min: 0, max: 2 ** 52 }).map((value) => ["int64", BigInt(value)] as const),
  fc.boolean().map((value) => ["bool", value] as const),
);

/** Fields, some of them in messages within messages. */
const fields = fc.letrec<{ one: Field; many: readonly Field[] }>((tie) => ({
  one: fc.oneof({ weight: 4, arbitrary: field }, tie("many")),
  many: fc.array(tie("one"), { maxLength: 6 }),
})).many;

type Plain = typeof field extends fc.Arbitrary<infer T> ? T : never;
type Field = Plain | readonly Field[];

function isPlain(one: Field): one is Plain {
  return typeof one[0] === "string";
}

function write(writer: ByteWriter | BinaryWriter, all: readonly Field[]): void {
  for (const one of all) {
    if (isPlain(one)) put(writer, one);
    else {
      writer.tag(3, 2).fork();
      write(writer, one);
      writer.join();
    }
  }
}

function put(writer: ByteWriter | BinaryWriter, [kind, value]: Plain): void {
  switch (kind) {
    case "string":
      writer.string(value);
      break;
    case "bytes":
      writer.bytes(value);
      break;
    case "int64":
      writer.int64(value);
      break;
    case "bool":
      writer.bool(value);
      break;
    default:
      writer[kind](value);
  }
}

describe("ByteWriter", () => {
  test("writes what the library's writer writes", () => {
    const writer = new ByteWriter();
    fc.assert(
      fc.property(fields, fc.boolean(), (all, keep) => {
        const library = new BinaryWriter();
        write(library, all);
        write(writer, all);
        const bytes = keep ? writer.finishToKeep() : writer.finish();
        expect(Buffer.compare(bytes, library.finish())).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });

  test("gives bytes to keep memory of their own", () => {
    const writer = new ByteWriter();
    const bytes = writer.string("kept").finishToKeep();
    expect(bytes.buffer.byteLength).toBe(bytes.length);
  });

  test.each([1.5, 2 ** 31, Number.NaN])("refuses %d as an int32", (value) => {
    expect(() => new ByteWriter().int32(value)).toThrow("invalid int32");
  });

  test.each([-1, 2 ** 32, 0.1])("refuses %d as a uint32", (value) => {
    expect(() => new ByteWriter().uint32(value)).toThrow("invalid uint32");
  });
});
