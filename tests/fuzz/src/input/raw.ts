// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { hostileText } from "./text.ts";
import { flipped } from "./wire.ts";

const requestLine = fc
  .tuple(
    fc.constantFrom("GET", "POST", "DELETE", "PRI", "get", "", "G\u0000T"),
    fc.oneof(
      fc.constantFrom(
        "/v1.0/workflows/dapr/canary",
        "/v1.0/workflows/dapr/w/start",
        "*",
        "http://x/y",
        "/pawl.v1.WorkflowService/GetInstance",
      ),
      hostileText,
    ),
    fc.constantFrom("HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "HTP", ""),
  )
  .map((parts) => parts.join(" "));
const header = fc
  .tuple(
    fc.constantFrom(
      "Host",
      "Content-Length",
      "Transfer-Encoding",
      "Content-Type",
      "Connection",
      "Expect",
      "Upgrade",
      "dapr-workflow-metadata",
      "X Y",
      ": a",
      "a\u0000b",
    ),
    fc.oneof(
      hostileText,
      fc.constantFrom(
        "localhost",
        "x:99999",
        "[::1",
        "5",
        "-1",
        "99999999999999999999",
        "5, 6",
        "chunked",
        "chunked, chunked",
        "gzip",
        "close",
        "100-continue",
        "h2c",
        "application/json",
      ),
    ),
  )
  .map(([name, value]) => `${name}: ${value}`);
const httpBody = fc.oneof(
  hostileText,
  fc.constantFrom(
    "{}",
    "5\r\nhello\r\n0\r\n\r\n",
    "fffffffffffffffff\r\n",
    "5;x=\u0000\r\nhello",
    "0\r\nevil: 1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
  ),
);

/** What looks like HTTP/1 from afar: broken lines, lengths that disagree, smuggled requests. */
export const http1Bytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: http1Request() },
  { weight: 2, arbitrary: flipped(http1Request()) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 60_000 })
      .map((n) => Buffer.from(`GET / HTTP/1.1\r\nx: ${"a".repeat(n)}\r\n\r\n`)),
  },
);

function http1Request(): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(requestLine, fc.array(header, { maxLength: 5 }), httpBody)
    .map(([line, headers, body]) => Buffer.from([line, ...headers, "", body].join("\r\n")));
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
const settings = toFrame(4, 0, 0, Buffer.alloc(0));
/** HPACK: POST, http, a path of the static table's "/", and a literal content type. */
const headerBlock = Buffer.concat([
  Buffer.from([0x83, 0x86, 0x84, 0x41, 0x01, 0x78]),
  Buffer.from([0x5f, 16]),
  Buffer.from("application/grpc"),
]);

const anyFrame: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.oneof(fc.nat(9), fc.nat(255)),
    fc.nat(255),
    fc.oneof(fc.constantFrom(0, 1, 3), fc.nat(0x7fff_ffff)),
    fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(headerBlock)),
    fc.option(fc.nat(0xff_ffff), { freq: 8 }),
  )
  .map(([type, flags, stream, bytes, length]) =>
    toFrame(type, flags, stream, bytes, length ?? bytes.length),
  );
const rapidReset = fc
  .integer({ min: 1, max: 300 })
  .map((count) =>
    Buffer.concat(
      Array.from({ length: count }, (_, index) =>
        Buffer.concat([
          toFrame(1, 4, 2 * index + 1, headerBlock),
          toFrame(3, 0, 2 * index + 1, Buffer.alloc(4)),
        ]),
      ),
    ),
  );
const continuationFlood = fc
  .integer({ min: 1, max: 300 })
  .map((count) =>
    Buffer.concat([
      toFrame(1, 0, 1, headerBlock),
      ...Array.from({ length: count }, () =>
        toFrame(9, 0, 1, Buffer.from([0x40, 1, 0x61, 1, 0x62])),
      ),
    ]),
  );
const pingFlood = fc
  .integer({ min: 1, max: 300 })
  .map((count) =>
    Buffer.concat(Array.from({ length: count }, () => toFrame(6, 0, 0, Buffer.alloc(8)))),
  );

/** An HTTP/2 connection's beginning with frames of every kind, in any order, broken in any way. */
export const http2Bytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .array(anyFrame, { maxLength: 6 })
      .map((frames) => Buffer.concat([preface, settings, ...frames])),
  },
  {
    weight: 2,
    arbitrary: flipped(
      fc
        .array(anyFrame, { maxLength: 4 })
        .map((frames) => Buffer.concat([preface, settings, ...frames])),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .oneof(rapidReset, continuationFlood, pingFlood)
      .map((frames) => Buffer.concat([preface, settings, frames])),
  },
  { weight: 1, arbitrary: fc.nat(preface.length).map((length) => preface.subarray(0, length)) },
);

function toFrame(
  type: number,
  flags: number,
  stream: number,
  bytes: Uint8Array,
  length = bytes.length,
): Buffer {
  const frameHeader = Buffer.alloc(9);
  frameHeader.writeUIntBE(length, 0, 3);
  frameHeader[3] = type;
  frameHeader[4] = flags;
  frameHeader.writeUInt32BE(stream, 5);
  return Buffer.concat([frameHeader, bytes]);
}
