// SPDX-License-Identifier: Apache-2.0

import type { IncomingHttpHeaders } from "node:http";
import type { HandlerContext } from "@connectrpc/connect";
import { type HasNodeHeaders, nodeHeaders } from "../rpc/headers.js";

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

/** What W3C calls a traceparent; some clients send less, which is no reason to fail. */
const traceParentForm = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const traceIdForm = /^[0-9a-f]{32}$/;
const spanIdForm = /^[0-9a-f]{16}$/;

/** gRPC's header of before W3C's; Dapr takes it first. */
const binaryHeader = "grpc-trace-bin";

/** Version 0, then fields 0 (trace id), 1 (span id) and 2 (flags), each behind its number; in hex. */
const binaryForm = /^0000([0-9a-f]{32})01([0-9a-f]{16})(?:02([0-9a-f]{2}))?/;

/** The trace of an RPC's caller: what the message says goes before the headers. */
export function traceOfCall(
  context: HandlerContext & HasNodeHeaders,
  message?: TraceMessage,
): CallerTrace {
  const said = message === undefined ? undefined : traceOfMessage(message);
  if (said !== undefined) return said;
  const headers = context[nodeHeaders];
  if (headers !== undefined) {
    return traceOfBinary(headers[binaryHeader]) ?? traceOfHeaders(headers);
  }
  const { requestHeader } = context;
  return (
    traceOfBinary(requestHeader.get(binaryHeader)) ??
    traceFrom(requestHeader.get("traceparent"), requestHeader.get("tracestate"))
  );
}

/** The trace of the caller of an HTTP request. */
export function traceOfHeaders(headers: IncomingHttpHeaders): CallerTrace {
  const { traceparent, tracestate } = headers;
  return traceFrom(traceparent, Array.isArray(tracestate) ? tracestate.join(",") : tracestate);
}

/** The trace in base64 of the binary form; what is not one counts for nothing. */
function traceOfBinary(header: string | string[] | null | undefined): CallerTrace | undefined {
  if (typeof header !== "string" || header === "") return undefined;
  const bytes = Buffer.from(header, "base64").toString("hex");
  const [, traceId, spanId, flags = "00"] = binaryForm.exec(bytes) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceParent: `00-${traceId}-${spanId}-${flags}` };
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
