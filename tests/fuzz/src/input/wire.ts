// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { hostileText } from "./text.ts";

const maxField = 20;

/** Bytes of protobuf's wire format with any fields, and of what is no longer that. */
export const wireBytes: fc.Arbitrary<Uint8Array> = fc.letrec<{ message: Uint8Array }>((tie) => ({
  message: fc
    .array(
      fc.oneof(
        { weight: 3, arbitrary: lengthDelimited(hostileText.map(toBytes)) },
        { weight: 2, arbitrary: lengthDelimited(fc.uint8Array({ maxLength: 40 })) },
        { weight: 2, arbitrary: varintField() },
        { weight: 1, arbitrary: fixedField() },
        { weight: 2, arbitrary: lengthDelimited(tie("message")) },
      ),
      { maxLength: 6, depthIdentifier: "wire" },
    )
    .map(concat),
})).message;

/** A request body: mostly wire format, with the faults that decoders fall over. */
export const requestBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: wireBytes },
  {
    weight: 2,
    arbitrary: fc.tuple(wireBytes, fc.nat(60)).map(([bytes, at]) => bytes.slice(0, at)),
  },
  { weight: 2, arbitrary: flipped(wireBytes) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 20_000 }).map(deepMessage) },
  { weight: 1, arbitrary: fc.constant(new Uint8Array(11).fill(0xff)) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 5_000 }).map((n) => new Uint8Array(n).fill(0x0b)),
  },
);

/** The same bytes with some of them changed. */
export function flipped(source: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const changes = fc.array(fc.tuple(fc.nat(4095), fc.nat(255)), { minLength: 1, maxLength: 4 });
  return fc.tuple(source, changes).map(([bytes, list]) => {
    const changed = bytes.slice();
    for (const [at, value] of list) {
      if (changed.length > 0) {
        changed[at % changed.length] = value;
      }
    }
    return changed;
  });
}

/** Messages in messages, as deep as a few kilobytes can say. */
function deepMessage(depth: number): Uint8Array {
  const parts: number[] = [];
  let length = 0;
  for (let level = 0; level < depth && length < 60_000; level += 1) {
    const header = [0x12, ...varint(BigInt(length))];
    parts.unshift(...header);
    length += header.length;
    if (level > 2_000) {
      break;
    }
  }
  return Uint8Array.from(parts);
}

function varintField(): fc.Arbitrary<Uint8Array> {
  const value = fc.oneof(
    fc.bigInt({ min: 0n, max: 200n }),
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  );
  return fc
    .tuple(fc.nat(maxField), value)
    .map(([field, n]) => Uint8Array.from([...varint(BigInt(field << 3)), ...varint(n)]));
}

function fixedField(): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(
      fc.nat(maxField),
      fc.constantFrom(1, 5, 3, 4, 6, 7),
      fc.uint8Array({ minLength: 8, maxLength: 8 }),
    )
    .map(([field, wireType, bytes]) =>
      concat([
        Uint8Array.from(varint(BigInt((field << 3) | wireType))),
        bytes.slice(0, wireType === 5 ? 4 : 8),
      ]),
    );
}

function lengthDelimited(content: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.integer({ min: 1, max: maxField }), content)
    .map(([field, bytes]) =>
      concat([
        Uint8Array.from([...varint(BigInt((field << 3) | 2)), ...varint(BigInt(bytes.length))]),
        bytes,
      ]),
    );
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return bytes;
}

function toBytes(text: string): Uint8Array {
  return Buffer.from(text);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}
