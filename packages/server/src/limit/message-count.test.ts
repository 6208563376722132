// SPDX-License-Identifier: Apache-2.0

import { create, fromBinary, toBinary, toJsonString } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { CallRequestSchema, WorkRequestSchema } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { countDecompressed, countedBody, countedEnvelopes } from "./counted-body.js";
import { MessageCount } from "./message-count.js";

/** So small that a message of more has more bytes than are let through unseen. */
const limit = 40_000;
const calls = new MessageCount(CallRequestSchema, limit);
const results = new MessageCount(WorkRequestSchema, limit);
const refusal = /at most 40000 messages/;

/** So many empty messages. */
function empties(count: number): Uint8Array {
  return toBinary(CallRequestSchema, create(CallRequestSchema, { calls: Array(count).fill({}) }));
}

function field(number: number, type: WireType, content: Uint8Array): Uint8Array {
  const writer = new BinaryWriter().tag(number, type);
  return (type === WireType.LengthDelimited ? writer.bytes(content) : writer.raw(content)).finish();
}

describe("a message", () => {
  test("may have as many messages in it as are allowed, and not one more", () => {
    expect(() => calls.require(empties(limit))).not.toThrow();
    expect(() => calls.require(empties(limit + 1))).toThrow(refusal);
  });

  test("is refused for what is deeper in it", () => {
    const actions = Array(limit + 1).fill({});
    const request = create(WorkRequestSchema, { turns: [{ actions }] });
    expect(() => results.require(toBinary(WorkRequestSchema, request))).toThrow(refusal);
  });

  test("is refused for unknown fields", () => {
    const unknown = Buffer.concat(Array(limit + 1).fill(field(15, WireType.Varint, Buffer.of(1))));
    expect(() => calls.require(unknown)).toThrow(refusal);
  });

  test("is refused where messages have another wire type, as they are decoded all the same", () => {
    const odd = Buffer.concat(Array(limit + 1).fill(field(1, WireType.Varint, Buffer.of(0))));
    expect(fromBinary(CallRequestSchema, odd).calls).toHaveLength(limit + 1);
    expect(() => calls.require(odd)).toThrow(refusal);
  });

  test.each([
    ["a group", field(9, WireType.StartGroup, new BinaryWriter().tag(9, 4).finish())],
    [
      "what looks like JSON",
      field(1, WireType.LengthDelimited, Buffer.from(`"${" ".repeat(122)}`)),
    ],
  ])("is refused behind %s", (_what, first) => {
    expect(() => calls.require(Buffer.concat([first, empties(limit + 1)]))).toThrow(refusal);
  });

  test("is let through with payloads of any kind", () => {
    const request = Buffer.from("[{}".repeat(limit));
    const whole = create(CallRequestSchema, { calls: [{ request }] });
    expect(() => calls.require(toBinary(CallRequestSchema, whole))).not.toThrow();
  });

  test("is let through where it cannot be decoded: the decoder says so", () => {
    const broken = Buffer.concat([Buffer.of(0x0a, 0xff, 0xff, 0xff, 0x0f), empties(limit + 1)]);
    expect(() => fromBinary(CallRequestSchema, broken)).toThrow();
    expect(() => calls.require(broken)).not.toThrow();
  });
});

describe("a JSON text", () => {
  const many = Buffer.from(`\n { "calls": [${Array(limit).fill("{}").join()}] }`);

  test("is refused for as much", () => {
    expect(() => calls.require(many)).toThrow(refusal);
  });

  test("may have braces in its texts", () => {
    const output = '\\"{['.repeat(limit);
    const request = create(WorkRequestSchema, {
      activities: [{ output }],
    });
    expect(() =>
      results.require(Buffer.from(toJsonString(WorkRequestSchema, request))),
    ).not.toThrow();
  });
});

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function envelope(flags: number, message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([prefix, message]);
}

describe.each([3, 65_536])("a body in pieces of %i", (size) => {
  const fine = Buffer.concat([
    envelope(0, empties(1)),
    envelope(0, new Uint8Array()),
    envelope(0, empties(limit)),
    envelope(1, empties(limit + 1)),
    envelope(0, empties(2)),
  ]);

  test("arrives as it is", async () => {
    expect((await collect(countedEnvelopes(pieces(fine, size), calls))).equals(fine)).toBe(true);
    const one = empties(limit);
    expect((await collect(countedBody(pieces(one, size), calls))).equals(one)).toBe(true);
  });

  test("fails before the end of a message that has too many in it", async () => {
    const many = Buffer.concat([fine, envelope(0, empties(limit + 1))]);
    await expect(collect(countedEnvelopes(pieces(many, size), calls))).rejects.toThrow(refusal);
    const one = empties(limit + 1);
    await expect(collect(countedBody(pieces(one, size), calls))).rejects.toThrow(refusal);
  });
});

test("what is unpacked is counted", async () => {
  const unpacking = { name: "x", compress: async () => new Uint8Array() };
  const counted = countDecompressed(
    { ...unpacking, decompress: async () => new Uint8Array(empties(limit + 1)) },
    calls,
  );
  await expect(counted.decompress(new Uint8Array(), 1)).rejects.toThrow(refusal);
});
