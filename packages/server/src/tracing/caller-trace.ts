// SPDX-License-Identifier: Apache-2.0

import type { IncomingHttpHeaders } from "node:http";
import type { HandlerContext } from "@connectrpc/connect";

/** Where a call keeps its headers as Node gave them, to spare those that need none the web's form. */
export const nodeHeaders: unique symbol = Symbol("nodeHeaders");

/** A call whose headers can be looked at for nothing. */
export interface HasNodeHeaders {
  readonly [nodeHeaders]?: IncomingHttpHeaders;
}

/** The trace that a caller is in, as a start takes it. */
export interface CallerTrace {
  readonly traceParent?: string;
  readonly traceState?: string;
}

/** What a message says of its caller's trace. */
export interface TraceMessage {
  readonly traceParent: string;
  readonly spanID?: string;
  readonly traceState?: string | undefined;
}

/** What W3C calls a traceparent; some clients send less, which is no reason to fail (worker protocol 6). */
const traceParentForm = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const traceIdForm = /^[0-9a-f]{32}$/;
const spanIdForm = /^[0-9a-f]{16}$/;

/** The trace of an RPC's caller: what the message says goes before the headers. */
export function traceOfCall(
  context: HandlerContext & HasNodeHeaders,
  message?: TraceMessage,
): CallerTrace {
  const said = message === undefined ? undefined : traceOfMessage(message);
  if (said !== undefined) return said;
  const headers = context[nodeHeaders];
  if (headers !== undefined) return traceOfHeaders(headers);
  const { requestHeader } = context;
  return traceFrom(requestHeader.get("traceparent"), requestHeader.get("tracestate"));
}

/** The trace of the caller of an HTTP request. */
export function traceOfHeaders(headers: IncomingHttpHeaders): CallerTrace {
  const { traceparent, tracestate } = headers;
  return traceFrom(traceparent, Array.isArray(tracestate) ? tracestate.join(",") : tracestate);
}

function traceOfMessage({
  traceParent,
  spanID = "",
  traceState,
}: TraceMessage): CallerTrace | undefined {
  if (traceParentForm.test(traceParent)) return traceFrom(traceParent, traceState);
  // The older form: a bare trace id, and the span beside it; it was sent for recorded traces alone.
  if (!traceIdForm.test(traceParent) || !spanIdForm.test(spanID)) return undefined;
  return traceFrom(`00-${traceParent}-${spanID}-01`, traceState);
}

function traceFrom(
  traceParent: string | string[] | null | undefined,
  traceState: string | null | undefined,
): CallerTrace {
  if (typeof traceParent !== "string" || traceParent === "") return {};
  return traceState ? { traceParent, traceState } : { traceParent };
}
