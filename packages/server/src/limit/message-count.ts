// SPDX-License-Identifier: Apache-2.0

import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, type WireType } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";
import { limits } from "@pawl/protocol";

/** Bytes of which so few objects can be made that nobody needs to count them. */
const smallBytes = 64 * 1024;

/** Levels of messages within messages at which protobuf-es gives up. */
const depth = 100;

/** What a field's content is: a message, something else of which an object is made, or a mere value. */
type Content = DescMessage | "object" | "value";

/** A message's fields by number. */
type Fields = ReadonlyMap<number, Content>;

const fieldsByMessage = new WeakMap<DescMessage, Fields>();

/**
 * Refuses a request of which more objects would be made than are ever needed. An empty message within
 * another takes two bytes, and some hundred once it is decoded: 16 MiB of them are 700 MB.
 */
export class MessageCount {
  readonly #type: DescMessage;
  readonly #limit: number;

  /** @param type of the requests */
  constructor(type: DescMessage, limit: number = limits.requestMessages) {
    this.#type = type;
    this.#limit = limit;
  }

  /** Whether so many bytes are to be looked at. */
  concerns(sizeBytes: number): boolean {
    return sizeBytes > smallBytes;
  }

  /**
   * Looks at an encoded request, in JSON or binary. What is no message is let through, for whoever decodes
   * it to say so.
   * @throws ConnectError
   */
  require(bytes: Uint8Array): void {
    if (!this.concerns(bytes.byteLength)) {
      return;
    }
    const isOver =
      hasMore(bytes, this.#type, this.#limit) ||
      (looksLikeJson(bytes) && hasMoreInJson(bytes, this.#limit));
    if (isOver) {
      throw new ConnectError(
        `a request may consist of at most ${this.#limit} messages and unknown fields`,
        Code.ResourceExhausted,
      );
    }
  }
}

/** Whether more than `limit` objects would be made of a message. */
function hasMore(bytes: Uint8Array, type: DescMessage, limit: number): boolean {
  const reader = new BinaryReader(bytes);
  const open: { fields: Fields; end: number }[] = [
    { fields: fieldsOf(type), end: bytes.byteLength },
  ];
  let count = 0;
  try {
    for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
      if (reader.pos >= inner.end) {
        open.pop();
        continue;
      }
      // Not `reader.tag()`, which makes an array of what it says.
      const tag = reader.uint32();
      const wireType: WireType = tag & 7;
      const content = inner.fields.get(tag >>> 3);
      if (content !== "value") {
        count += 1;
        if (count > limit) return true;
      }
      if (typeof content === "object") {
        // Protobuf-es reads a length here, whatever the wire type says.
        const length = reader.uint32();
        if (open.push({ fields: fieldsOf(content), end: reader.pos + length }) > depth)
          return false;
      } else {
        reader.skip(wireType, tag >>> 3);
      }
    }
  } catch {
    // It is no message from here on: nothing more is made of it.
  }
  return false;
}

function fieldsOf(type: DescMessage): Fields {
  let fields = fieldsByMessage.get(type);
  if (fields === undefined) {
    fields = new Map(type.fields.map((field) => [field.number, contentOf(field)]));
    fieldsByMessage.set(type, fields);
  }
  return fields;
}

function contentOf(field: DescField): Content {
  if (field.message !== undefined && field.fieldKind !== "map") return field.message;
  if (field.fieldKind === "map") return "object";
  return field.fieldKind === "list" && field.scalar === ScalarType.BYTES ? "object" : "value";
}

const [quote, backslash, openBrace, closeBrace, openBracket] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b];
const spaces: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** Whether a text begins as a JSON object does. A binary message may, too, by chance. */
function looksLikeJson(bytes: Uint8Array): boolean {
  const at = afterSpace(bytes, 0);
  const next = bytes[afterSpace(bytes, at + 1)];
  return bytes[at] === openBrace && (next === quote || next === closeBrace);
}

function afterSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (spaces.has(bytes[at] ?? 0)) at += 1;
  return at;
}

/** Whether a JSON text has more than `limit` objects and arrays. */
function hasMoreInJson(bytes: Uint8Array, limit: number): boolean {
  let count = 0;
  let isInText = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === quote) {
      isInText = !isInText;
    } else if (isInText) {
      // What is escaped ends no text.
      if (byte === backslash) at += 1;
    } else if (byte === openBrace || byte === openBracket) {
      count += 1;
      if (count > limit) return true;
    }
  }
  return false;
}
