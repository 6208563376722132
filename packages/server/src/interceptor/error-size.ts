// SPDX-License-Identifier: Apache-2.0

import { create, toBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";

// gRPC sends an error in headers, its message twice. More than 64 KiB of these Node cannot send, and it gives
// up the connection with all that goes over it; gRPC's C core takes no more than 8 KiB for certain.

/** Bytes of the message of an error. Names of the longest ids fit in several times. */
const messageBytes = 2048;

/** Bytes of the message in gRPC's header, where each byte that is no printable ASCII takes three. */
const escapedBytes = 3072;

/** Bytes of one fact of an error. */
const factBytes = 512;

/** Bytes of a detail that is not ours: which rules of a message are broken, say. */
const detailBytes = 2048;

type Detail = ConnectError["details"][number];

/** Halves of a character, which UTF-8 does not have and encodeURIComponent refuses. */
const halves = /\p{Surrogate}/gu;

const percent = 0x25;

/** Bytes that it takes to say that a text was cut. */
const noteBytes = 32;

/** A text that takes no more than so many bytes, and says so where it was cut; always valid UTF-8. */
function shorten(text: string, limitBytes: number = messageBytes): string {
  if (text.length * 3 <= limitBytes) return wellFormed(text);
  const bytes = Buffer.from(text);
  if (bytes.length <= limitBytes) return wellFormed(text);
  let end = limitBytes - noteBytes;
  // Not within a character, whose further bytes begin with the bits 10.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString("utf8", 0, end)}... (${bytes.length} bytes)`;
}

function wellFormed(text: string): string {
  return text.replace(halves, "\ufffd");
}

/** A message that fits into gRPC's header, too. */
export function shortenMessage(text: string): string {
  const short = shorten(text);
  const bytes = Buffer.from(short);
  return escapedLength(bytes, escapedBytes) === bytes.length
    ? short
    : shorten(text, escapedLength(bytes, escapedBytes - noteBytes) + noteBytes);
}

/** How many of some bytes take no more than `limitBytes` once they are escaped. */
function escapedLength(bytes: Uint8Array, limitBytes: number): number {
  let sum = 0;
  const end = bytes.findIndex((byte) => {
    sum += byte < 0x20 || byte > 0x7e || byte === percent ? 3 : 1;
    return sum > limitBytes;
  });
  return end < 0 ? bytes.length : end;
}

/** Facts that are not too long each. */
export function shortenFacts(facts: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(facts);
  return Object.fromEntries(entries.map(([name, value]) => [name, shorten(value, factBytes)]));
}

/** The same error with a message, and without details, that would be too long; itself, if none is. */
export function shortenError(error: ConnectError): ConnectError {
  const message = shortenMessage(error.rawMessage);
  const details = error.details.filter(isShort);
  if (message === error.rawMessage && details.length === error.details.length) return error;
  const { code, metadata, cause } = error;
  const short = new ConnectError(message, code, metadata, undefined, cause);
  short.details = details;
  return short;
}

function isShort(detail: Detail): boolean {
  const { length } =
    "desc" in detail ? toBinary(detail.desc, create(detail.desc, detail.value)) : detail.value;
  return length <= detailBytes;
}
