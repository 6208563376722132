// SPDX-License-Identifier: Apache-2.0

import type { IncomingHttpHeaders } from "node:http";
import { constants } from "node:http2";
import { EngineError } from "@pawl/engine";
import { encodeRefusal, type Refusal } from "../auth/refusal.js";
import type { ListenLimits } from "./listen-limits.js";

/** How much the headers of a request may hold. */
export type HeaderLimits = Pick<ListenLimits, "headerBytes" | "headerCount">;

/** Bytes that HTTP/2 counts for a header beside its name and value (RFC 9113, section 6.5.2). */
const bytesOfEach = 32;

/** What of an HTTP/2 request's headers is none: method, scheme, authority and path. */
const pseudoHeaders = 4;

/**
 * What Node is told to take. It breaks a request with more off, which tells its caller next to nothing; so
 * it takes more than is let in, and who stays within this gets an answer.
 */
export function toleratedHeaders({ headerBytes, headerCount }: HeaderLimits): HeaderLimits {
  return {
    headerBytes: Math.max(64 * 1024, 2 * headerBytes),
    headerCount: Math.max(2_000, 2 * headerCount) + pseudoHeaders,
  };
}

/**
 * Finds out whether a request has too many headers, or too large ones: the answer to it, or undefined when
 * they are within bounds.
 *
 * @param path the request's, with its query
 * @param raw names and values in turn
 */
export type HeaderCheck = (
  path: string,
  headers: IncomingHttpHeaders,
  raw: readonly string[],
  limits: HeaderLimits,
) => Refusal | undefined;

/** Answers in the form of the request's protocol, and says what is too large. */
export const checkHeaders: HeaderCheck = (path, headers, raw, { headerBytes, headerCount }) => {
  const all = raw.length / 2;
  const isHttp2 = isHttp2List(raw);
  const count = isHttp2 ? all - pseudoHeaders : all;
  if (count > headerCount) {
    return refuse(path, headers, `the request has ${count} headers; at most ${headerCount}`);
  }
  const bytes = textBytes(isHttp2, path, raw) + all * bytesOfEach;
  return bytes > headerBytes
    ? refuse(
        path,
        headers,
        `the headers of the request have ${bytes} bytes; at most ${headerBytes}`,
      )
    : undefined;
};

/** Bytes of the headers of a request in Dapr. */
export const daprHeaderBytes = 4096;

/** Bytes that HTTP/1.1 has of a header beside its name and value: colon, blank, end of line. */
const lineBytes = 4;

/**
 * Answers as Dapr does, which leaves it to its libraries: Go's net/http has one text for it, and
 * grpc-go resets the stream. They count in different ways, too: the bytes of HTTP/1.1's lines, and those
 * of an HTTP/2 header list.
 */
export const checkHeadersAsDapr: HeaderCheck = (path, headers, raw, limits) => {
  const isHttp2 = isHttp2List(raw);
  const each = isHttp2 ? bytesOfEach : lineBytes;
  const bytes = textBytes(isHttp2, path, raw) + (raw.length / 2) * each;
  const isFine =
    bytes <= limits.headerBytes && raw.length / 2 <= limits.headerCount + pseudoHeaders;
  if (isFine) return undefined;
  const type = headers["content-type"] ?? "";
  const isGrpc = type.startsWith("application/grpc") && !type.startsWith("application/grpc-web");
  return {
    status: 431,
    headers: { "content-type": "text/plain; charset=utf-8" },
    body: "431 Request Header Fields Too Large",
    ...(isHttp2 && isGrpc ? { resetCode: constants.NGHTTP2_FRAME_SIZE_ERROR } : {}),
  };
};

function isHttp2List(raw: readonly string[]): boolean {
  return raw[0]?.startsWith(":") === true;
}

/** Bytes of names and values, and of the path, which is one of HTTP/2's headers. */
function textBytes(isHttp2: boolean, path: string, raw: readonly string[]): number {
  return raw.reduce((sum, text) => sum + text.length, isHttp2 ? 0 : path.length);
}

function refuse(path: string, headers: IncomingHttpHeaders, excess: string): Refusal {
  const error = new EngineError("PAYLOAD_TOO_LARGE", `${excess} are allowed`);
  const request = { path: path.split("?", 1)[0] ?? "", contentType: headers["content-type"] ?? "" };
  const refusal = encodeRefusal(error, request, false);
  // HTTP has a status of its own for it.
  return refusal.status === 413 ? { ...refusal, status: 431 } : refusal;
}
