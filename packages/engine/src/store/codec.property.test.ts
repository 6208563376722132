// SPDX-License-Identifier: Apache-2.0

import { EventRecord, historyEvent } from "@pawl/protocol";
import { StoredStatus } from "@pawl/protocol/store";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PureInstance } from "../../test/pure-instance.js";
import {
  chainOf,
  decodeChunk,
  decodeMessage,
  decodeRow,
  encodeChunk,
  encodeMessage,
  encodeRow,
  Row,
  rowOf,
  rowStatus,
} from "./codec.js";

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const text = fc.string({ unit: "grapheme", maxLength: 30 });
const instant = fc.maxSafeNat();
const damagedError = expect.objectContaining({ code: "INSTANCE_DAMAGED" });

const fields = {
  generation: uint32,
  workflow: text,
  executionId: text,
  status: fc.constantFrom(StoredStatus.PENDING, StoredStatus.FAILED, StoredStatus.STALLED),
  createdAt: instant,
  startedAt: instant,
  updatedAt: instant,
  completedAt: instant,
  startAt: instant,
  parent: fc.option(
    fc.record({ instanceId: text, executionId: text, taskId: fc.integer({ max: 2 ** 31 - 1 }) }),
    { nil: undefined },
  ),
  tags: fc.dictionary(text, text),
  customStatus: fc.option(text, { nil: undefined }),
  version: text,
  stallReason: text,
  stallCode: text,
  eventCount: uint32,
  chunkCount: uint32,
  chain: uint32,
  historyBytes: instant,
  inboxFirst: uint32,
  inboxNext: uint32,
  changed: instant,
} satisfies { readonly [K in keyof Row]: fc.Arbitrary<Row[K]> };

const row = fc.record(fields).map((some) => Object.assign(new Row(), some));

describe("rows", () => {
  test("are read back as they were", () => {
    fc.assert(
      fc.property(row, (written) => {
        expect(decodeRow(encodeRow(written))).toEqual(written);
      }),
    );
  });

  test("are damaged when they cannot be decoded", () => {
    expect(() => decodeRow(Uint8Array.of(0xff, 0xff))).toThrow(damagedError);
  });

  test("are damaged when their status is none", () => {
    expect(() => rowStatus(new Row())).toThrow(damagedError);
  });

  test("hold the parent and the custom status of a state", () => {
    const { state } = new PureInstance();
    state.parent = { instanceId: "p", executionId: "e", taskId: 3 };
    state.customStatus = "";
    const seals = { chunkCount: 0, chain: 0, historyBytes: 0, inboxFirst: 0, inboxNext: 1 };
    expect(rowOf(state, seals, 7)).toMatchObject({
      parent: { taskId: 3 },
      customStatus: "",
      changed: 7,
    });
  });
});

describe("chunks", () => {
  const chunk = fc.record({
    firstEvent: uint32,
    eventCount: uint32,
    chain: uint32,
    frames: fc.uint8Array({ maxLength: 200 }),
  });

  test("are read back as they were, also from the middle of other bytes", () => {
    fc.assert(
      fc.property(chunk, fc.nat({ max: 9 }), (written, offset) => {
        const encoded = encodeChunk(written);
        const around = Buffer.concat([Buffer.alloc(offset, 1), encoded, Buffer.alloc(3, 2)]);
        const value = around.subarray(offset, offset + encoded.length);
        const { frames, ...header } = decodeChunk(value);
        expect({ ...header, frames: [...frames] }).toEqual({
          ...written,
          frames: [...written.frames],
        });
      }),
    );
  });

  test("are damaged when they are cut short", () => {
    expect(() => decodeChunk(new Uint8Array(11))).toThrow(damagedError);
  });

  test("show any changed byte in their chain", () => {
    const frames = fc.uint8Array({ minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(
        uint32,
        frames,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (before, bytes, at, flip) => {
          const changed = Uint8Array.from(bytes);
          const index = at % bytes.length;
          changed[index] = (bytes[index] ?? 0) ^ flip;
          expect(chainOf(before, changed)).not.toBe(chainOf(before, bytes));
        },
      ),
    );
  });

  test("show a missing piece in the chain of the next", () => {
    const a = Uint8Array.of(1, 2, 3);
    const b = Uint8Array.of(4, 5, 6);
    expect(chainOf(chainOf(0, a), b)).not.toBe(chainOf(0, b));
  });
});

describe("messages", () => {
  const message = fc.record({
    targetId: text,
    targetExecutionId: fc.option(text, { nil: undefined }),
    name: text,
    input: text,
    at: fc.integer({ min: 0, max: 4_102_444_800_000 }),
    propagated: fc.option(fc.uint8Array(), { nil: undefined }),
  });

  test("are read back as they were", () => {
    fc.assert(
      fc.property(message, ({ targetId, targetExecutionId, name, input, at, propagated }) => {
        const type = { case: "eventRaised", value: { name, input } } as const;
        const record = EventRecord.of(historyEvent(-1, at, type));
        const written = {
          targetId,
          record,
          ...(targetExecutionId === undefined ? {} : { targetExecutionId }),
          ...(propagated === undefined ? {} : { propagated }),
        };
        const read = decodeMessage(encodeMessage(written));
        if (!("record" in read)) throw new Error("an order was read");
        expect(read.targetId).toBe(targetId);
        // An empty execution id is no execution id: the message is for whichever there is.
        expect(read.targetExecutionId).toBe(targetExecutionId || undefined);
        expect(read.record.event).toEqual(record.event);
        expect(read.propagated && [...read.propagated]).toEqual(propagated && [...propagated]);
      }),
    );
  });

  test("are read back as orders where they are some", () => {
    const order = { targetId: "child", parentExecutionId: "execution" };
    expect(decodeMessage(encodeMessage(order))).toEqual(order);
  });

  test("are damaged when they cannot be decoded", () => {
    expect(() => decodeMessage(Uint8Array.of(0xff, 0xff))).toThrow(damagedError);
  });
});
