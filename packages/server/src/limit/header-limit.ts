// SPDX-License-Identifier: Apache-2.0

import type { IncomingHttpHeaders } from "node:http";
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
 * The answer to a request with too many headers, or too large ones, in the form of its protocol;
 * undefined when they are within bounds.
 *
 * @param path the request's, with its query
 * @param raw names and values in turn
 */
export function refusalOfHeaders(
  path: string,
  headers: IncomingHttpHeaders,
  raw: readonly string[],
  { headerBytes, headerCount }: HeaderLimits,
): Refusal | undefined {
  const all = raw.length / 2;
  const count = raw[0]?.startsWith(":") === true ? all - pseudoHeaders : all;
  if (count > headerCount) {
    return refuse(path, headers, `the request has ${count} headers; at most ${headerCount}`);
  }
  const bytes = raw.reduce((sum, text) => sum + text.length, all * bytesOfEach);
  return bytes > headerBytes
    ? refuse(
        path,
        headers,
        `the headers of the request have ${bytes} bytes; at most ${headerBytes}`,
      )
    : undefined;
}

function refuse(path: string, headers: IncomingHttpHeaders, excess: string): Refusal {
  const error = new EngineError("PAYLOAD_TOO_LARGE", `${excess} are allowed`);
  const request = { path: path.split("?", 1)[0] ?? "", contentType: headers["content-type"] ?? "" };
  const refusal = encodeRefusal(error, request, false);
  // HTTP has a status of its own for it.
  return refusal.status === 413 ? { ...refusal, status: 431 } : refusal;
}
