// SPDX-License-Identifier: Apache-2.0

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeInstanceRow } from "./encode-row.js";
import { InstanceRowSchema, StoredStatus } from "./gen/pawl/store/v1/store_pb.js";

const uint32 = fc.oneof(fc.constantFrom(0, 1, 127, 128), fc.integer({ min: 0, max: 0xffff_ffff }));
const text = fc.oneof(fc.string({ maxLength: 50, unit: "binary" }), fc.constant("x".repeat(300)));
const maybe = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: undefined });
const int64 = fc.oneof(
  fc.constantFrom(0n, 0xffff_ffffn, 0x1_0000_0000n),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const unknown = fc.option(fc.constant([{ no: 77, wireType: 0, data: new Uint8Array([1]) }]), {
  nil: undefined,
  freq: 8,
});

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

const rows = fc
  .record({ fields: fc.record(fields), unknown, parentUnknown: unknown })
  .map(({ fields: { parent, customStatus, ...rest }, unknown, parentUnknown }) => {
    const row = create(InstanceRowSchema, {
      ...rest,
      ...(parent === undefined ? {} : { parent }),
      ...(customStatus === undefined ? {} : { customStatus }),
    });
    if (unknown !== undefined) row.$unknown = [...unknown];
    if (parentUnknown !== undefined && row.parent !== undefined) {
      row.parent.$unknown = [...parentUnknown];
    }
    return row;
  });

describe("encodeInstanceRow()", () => {
  test("writes what the library's encoder writes, byte for byte", () => {
    fc.assert(
      fc.property(rows, (row) => {
        const bytes = encodeInstanceRow(row);
        expect(bytes).toEqual(toBinary(InstanceRowSchema, row));
        expect(fromBinary(InstanceRowSchema, bytes)).toEqual(
          fromBinary(InstanceRowSchema, toBinary(InstanceRowSchema, row)),
        );
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
