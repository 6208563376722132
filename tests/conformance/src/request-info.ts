// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import {
  type ConformancePayload_RequestInfo,
  ConformancePayload_RequestInfoSchema,
  type Error as ErrorDefinition,
  type Header,
  HeaderSchema,
} from "./gen/connectrpc/conformance/v1/service_pb.js";

/** What the service has seen of a call; the runner compares it with what its client sent. */
export function requestInfo(
  context: HandlerContext,
  requests: readonly Any[],
): ConformancePayload_RequestInfo {
  const timeoutMs = context.timeoutMs();
  return create(ConformancePayload_RequestInfoSchema, {
    requestHeaders: toHeaders(context.requestHeader),
    ...(timeoutMs === undefined ? {} : { timeoutMs: BigInt(Math.floor(timeoutMs)) }),
    requests: [...requests],
    ...(context.requestMethod === "GET"
      ? { connectGetInfo: { queryParams: toHeaders(new URL(context.url).searchParams) } }
      : {}),
  });
}

/** Adds what a test wants in the headers or trailers. */
export function addHeaders(target: Headers, headers: readonly Header[]): void {
  for (const { name, value } of headers) {
    for (const part of value) {
      target.append(name, part);
    }
  }
}

/** The error that a test asks for. `info` becomes its last detail. */
export function toError(
  definition: ErrorDefinition,
  info?: ConformancePayload_RequestInfo,
): ConnectError {
  const code = isCode(definition.code) ? definition.code : Code.Unknown;
  const error = new ConnectError(definition.message ?? "", code);
  error.details = definition.details.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value,
  }));
  if (info !== undefined) {
    error.details.push({ desc: ConformancePayload_RequestInfoSchema, value: info });
  }
  return error;
}

/** The two lists of codes have the same numbers. */
function isCode(value: number): value is Code {
  return value in Code;
}

function toHeaders(source: Headers | URLSearchParams): Header[] {
  const values = new Map<string, string[]>();
  for (const [name, value] of source) {
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return [...values].map(([name, value]) => create(HeaderSchema, { name, value }));
}
