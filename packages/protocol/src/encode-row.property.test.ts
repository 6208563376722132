// SPDX-License-Identifier: Apache-2.0

import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeInstanceRow, type RowFields } from "./encode-row.js";
import { type InstanceRow, InstanceRowSchema, StoredStatus } from "./gen/pawl/store/v1/store_pb.js";

const uint32 = fc.oneof(fc.constantFrom(0, 1, 127, 128), fc.integer({ min: 0, max: 0xffff_ffff }));
const text = fc.oneof(fc.string({ maxLength: 50, unit: "binary" }), fc.constant("x".repeat(300)));
const maybe = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: undefined });
const int64 = fc.oneof(fc.constantFrom(0, 0xffff_ffff, 0x1_0000_0000), fc.maxSafeInteger());
const uint64 = fc.maxSafeNat();
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

/** A value for every field of the message: one that is added to the message has to be added here. */
const fields = {
  generation: uint32,
  workflow: text,
  executionId: text,
  status: fc.constantFrom(StoredStatus.UNSPECIFIED, StoredStatus.PENDING, StoredStatus.STALLED),
  createdAt: int64,
  startedAt: int64,
  updatedAt: int64,
  completedAt: int64,
  startAt: int64,
  parent: maybe(fc.record({ instanceId: text, executionId: text, taskId: int32 })),
  tags: fc.dictionary(text, text, { maxKeys: 3 }),
  customStatus: maybe(text),
  version: text,
  stallReason: text,
  eventCount: uint32,
  chunkCount: uint32,
  chain: uint32,
  historyBytes: uint64,
  inboxFirst: uint32,
  inboxNext: uint32,
  stallCode: text,
  changed: uint64,
};

/** The message that has these fields. */
function messageOf({ parent, customStatus, ...fields }: RowFields): InstanceRow {
  const { createdAt, startedAt, updatedAt, completedAt, startAt, historyBytes, changed } = fields;
  return create(InstanceRowSchema, {
    ...fields,
    createdAt: BigInt(createdAt),
    startedAt: BigInt(startedAt),
    updatedAt: BigInt(updatedAt),
    completedAt: BigInt(completedAt),
    startAt: BigInt(startAt),
    historyBytes: BigInt(historyBytes),
    changed: BigInt(changed),
    ...(parent === undefined ? {} : { parent }),
    ...(customStatus === undefined ? {} : { customStatus }),
  });
}

describe("encodeInstanceRow()", () => {
  test("writes what the library's encoder writes, byte for byte", () => {
    fc.assert(
      fc.property(fc.record(fields), (row) => {
        const written = toBinary(InstanceRowSchema, messageOf(row));
        expect(encodeInstanceRow(row)).toEqual(written);
      }),
      { numRuns: 2000 },
    );
  });

  test("is tested with every field that a row has", () => {
    expect(InstanceRowSchema.fields.map(({ localName }) => localName).sort()).toEqual(
      Object.keys(fields).sort(),
    );
  });
});
