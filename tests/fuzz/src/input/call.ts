// SPDX-License-Identifier: Apache-2.0

import { brotliCompressSync, gzipSync } from "node:zlib";
import { type DescMethod, fromBinary } from "@bufbuild/protobuf";
import {
  AdminService,
  CallService,
  Dapr,
  Health,
  ServerReflection,
  TaskHubSidecarService,
  WorkerService,
  WorkflowService,
} from "@pawl/protocol";
import fc from "fast-check";
import type { Call } from "../http2-caller.ts";
import { hostileJson, hostileSegment, hostileText } from "./text.ts";
import { flipped, requestBytes, wireBytes } from "./wire.ts";

/** Time that every call gets: some methods wait for what never comes. */
const timeout = { "grpc-timeout": "50m", "connect-timeout-ms": "50" };

const methods: readonly DescMethod[] = [
  WorkflowService,
  CallService,
  WorkerService,
  AdminService,
  TaskHubSidecarService,
  Dapr,
  Health,
  ServerReflection,
].flatMap((service) => service.methods);

const method = fc.constantFrom(...methods);

function post(path: string, headers: Call["headers"], body: Uint8Array): Call {
  return { method: "POST", path, headers, body };
}

function pathOf(called: DescMethod): string {
  return `/${called.parent.typeName}/${called.name}`;
}

const isUnary = (called: DescMethod): boolean => called.methodKind === "unary";

const { purgeInstances } = TaskHubSidecarService.method;

/** Whether a request asks in so many words for what is there to be purged, which is then no fault. */
function purgesAll(called: DescMethod, bytes: Uint8Array): boolean {
  if (called !== purgeInstances) return false;
  try {
    const { request, force } = fromBinary(purgeInstances.input, bytes);
    return request.case === "purgeInstanceFilter" && force === true;
  } catch {
    return false;
  }
}

/** Every method, with bytes that are, nearly are, or are not its request, in every binary protocol. */
export const binaryCall: fc.Arbitrary<Call> = fc
  .tuple(method, requestBytes, fc.constantFrom("grpc", "grpc-web", "connect"))
  .filter(([called, bytes]) => !purgesAll(called, bytes))
  .map(([called, bytes, protocol]) => {
    if (protocol !== "connect") {
      const headers = {
        ...timeout,
        "content-type": `application/${protocol}+proto`,
        te: "trailers",
      };
      return post(pathOf(called), headers, envelope(0, bytes));
    }
    const type = isUnary(called) ? "application/proto" : "application/connect+proto";
    const body = isUnary(called) ? bytes : envelope(0, bytes);
    return post(pathOf(called), { ...timeout, "content-type": type }, body);
  });

/** Every method, with JSON that is no request. */
export const jsonCall: fc.Arbitrary<Call> = fc
  .tuple(method, hostileJson, fc.constantFrom("grpc", "grpc-web", "connect"))
  .map(([called, bytes, protocol]) => {
    if (protocol !== "connect") {
      const headers = {
        ...timeout,
        "content-type": `application/${protocol}+json`,
        te: "trailers",
      };
      return post(pathOf(called), headers, envelope(0, bytes));
    }
    const type = isUnary(called) ? "application/json" : "application/connect+json";
    const body = isUnary(called) ? bytes : envelope(0, bytes);
    return post(pathOf(called), { ...timeout, "content-type": type }, body);
  });

const bombs = [gzipSync(Buffer.alloc(8 * 1024 * 1024)), gzipSync(gzipSync(Buffer.alloc(65_536)))];
const brotliBomb = brotliCompressSync(Buffer.alloc(8 * 1024 * 1024));
const gzipped = requestBytes.map((bytes): Uint8Array => gzipSync(bytes));

const payload: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 4, arbitrary: wireBytes },
  { weight: 2, arbitrary: gzipped },
  { weight: 2, arbitrary: flipped(gzipped) },
  { weight: 1, arbitrary: fc.tuple(gzipped, fc.nat(30)).map(([bytes, at]) => bytes.slice(0, at)) },
  { weight: 1, arbitrary: hostileJson },
);
const bombPayload = fc.constantFrom<Uint8Array>(...bombs, brotliBomb);

const frame: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.oneof(fc.constantFrom(0, 0, 0, 1, 2, 3, 0x80, 0x81), fc.nat(255)),
    fc.oneof({ weight: 200, arbitrary: payload }, { weight: 1, arbitrary: bombPayload }),
    fc.option(fc.oneof(fc.constantFrom(0, 1, 0x7fff_ffff, 0xffff_ffff), fc.nat(0xffff_ffff)), {
      freq: 3,
    }),
  )
  .map(([flags, bytes, length]) => envelope(flags, bytes, length ?? bytes.length));

/** Envelopes with wrong lengths, flags, numbers and compression, in every protocol that has them. */
export const envelopeCall: fc.Arbitrary<Call> = fc
  .tuple(
    method.filter((called) => called !== purgeInstances),
    fc.array(frame, { maxLength: 3 }),
    fc.constantFrom(
      "application/grpc",
      "application/grpc+proto",
      "application/grpc-web+proto",
      "application/connect+proto",
      "application/connect+json",
    ),
    fc.constantFrom("gzip", "gzip", "br", "identity", "snappy", "gzip,br", ""),
  )
  .map(([called, frames, type, encoding]) => {
    const compression = type.includes("connect") ? "connect-content-encoding" : "grpc-encoding";
    const headers = { ...timeout, "content-type": type, [compression]: encoding, te: "trailers" };
    return post(pathOf(called), headers, Buffer.concat(frames));
  });

const headerText = hostileText.map((text) =>
  text
    .replaceAll(/[^\x20-\x7e]/g, "?")
    .trim()
    .slice(0, 2_000),
);
const headerName = fc.constantFrom(
  "content-type",
  "content-encoding",
  "accept-encoding",
  "grpc-encoding",
  "grpc-accept-encoding",
  "connect-content-encoding",
  "connect-accept-encoding",
  "connect-protocol-version",
  "grpc-timeout",
  "connect-timeout-ms",
  "dapr-api-token",
  "dapr-workflow-metadata",
  "authorization",
  "traceparent",
  "tracestate",
  "prefer",
  "x-evil-bin",
  "grpc-status-details-bin",
  "accept",
  "origin",
  "user-agent",
  "content-length",
  "range",
  "x-forwarded-for",
  "cookie",
);
const headerValue = fc.oneof(
  headerText,
  fc.constantFrom(
    "application/json",
    "application/grpc",
    "application/grpc+foo",
    "application/grpc-web-text",
    'application/proto; charset="',
    "gzip",
    "br",
    "deflate",
    "1S",
    "99999999H",
    "-1",
    "0",
    "1e9",
    "100000000n",
    "wait=0",
    "wait=1e9",
    "a=b",
    'a="b\\"',
    "====",
    "00-00000000000000000000000000000000-0000000000000000-00",
    "999999999999999",
  ),
);

/** Any method that answers by itself, and REST's paths, with headers that nobody expects. */
export const headerCall: fc.Arbitrary<Call> = fc
  .tuple(
    fc.oneof(
      fc
        .constantFrom(
          ...methods.filter(
            (called) =>
              isUnary(called) &&
              /^(Get(?!WorkItems)|List|Raise|Hello|Check|Purge|Complete)/.test(called.name),
          ),
        )
        .map(pathOf),
      fc.constantFrom(
        "/v1.0/workflows/dapr/canary",
        "/v1.0/workflows/w/start/start",
        "/v1.0/metadata",
        "/v1.0/healthz",
        "/",
      ),
    ),
    fc.constantFrom("POST", "POST", "GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "BREW"),
    fc.array(fc.tuple(headerName, headerValue), { maxLength: 6 }),
    requestBytes,
  )
  .map(([path, verb, headers, body]) => ({
    method: verb,
    path,
    headers: {
      "content-type": "application/json",
      ...withoutWrongLength(Object.fromEntries(headers), body),
    },
    body,
  }));

/** HTTP/2 gives a body that is not as long as it says back to the sender as its own fault. */
function withoutWrongLength(
  headers: Record<string, string>,
  body: Uint8Array,
): Record<string, string> {
  return "content-length" in headers
    ? { ...headers, "content-length": String(body.length) }
    : headers;
}

const verbs = [
  "start",
  "terminate",
  "pause",
  "suspend",
  "resume",
  "purge",
  "raiseEvent",
  "raiseEvent/x",
];

/** REST's paths with hostile ids and names in each place. */
export const idCall: fc.Arbitrary<Call> = fc
  .tuple(
    fc.constantFrom("POST", "POST", "GET", "DELETE"),
    fc.constantFrom("/v1.0", "/v1.0-beta1", "/v1.0-alpha1"),
    fc.array(fc.oneof(hostileSegment, fc.constant("dapr")), { minLength: 1, maxLength: 3 }),
    fc.constantFrom("", ...verbs),
    fc.option(hostileSegment),
    hostileJson,
  )
  .map(([verb, prefix, segments, last, query, body]) => ({
    method: verb,
    path: `${prefix}/workflows/${segments.join("/")}${last === "" ? "" : `/${last}`}${query === null ? "" : `?instanceID=${query}`}`,
    headers: {},
    body: verb === "POST" ? body : new Uint8Array(),
  }));

/** A message with gRPC's five bytes in front. */
function envelope(flags: number, bytes: Uint8Array, length = bytes.length): Buffer {
  const header = Buffer.alloc(5);
  header[0] = flags;
  header.writeUInt32BE(length, 1);
  return Buffer.concat([header, bytes]);
}
