// SPDX-License-Identifier: Apache-2.0

import { createHandlerContext } from "@connectrpc/connect";
import { WorkflowService } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { nodeHeaders } from "../rpc/headers.js";
import { type TraceMessage, traceOfCall, traceOfHeaders } from "./caller-trace.js";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const traceParent = `00-${traceId}-${spanId}-01`;
const other = `00-${traceId}-${"1".repeat(16)}-00`;

function contextWith(requestHeader: Record<string, string>) {
  return createHandlerContext({
    service: WorkflowService,
    method: WorkflowService.method.startInstance,
    protocolName: "connect",
    requestMethod: "POST",
    url: "http://pawl/",
    requestHeader,
  });
}

describe("the trace of a caller", () => {
  test("is what the headers say, whichever form they have", () => {
    const headers = { traceparent: traceParent, tracestate: "a=b" };
    const found = { traceParent, traceState: "a=b" };
    expect(traceOfCall(contextWith(headers))).toEqual(found);
    expect(traceOfCall(Object.assign(contextWith({}), { [nodeHeaders]: headers }))).toEqual(found);
    expect(traceOfHeaders({ traceparent: traceParent, tracestate: ["a=b", "c=d"] })).toEqual({
      traceParent,
      traceState: "a=b,c=d",
    });
    expect(traceOfHeaders({})).toEqual({});
    expect(traceOfHeaders({ traceparent: [traceParent, other] })).toEqual({});
  });

  /** gRPC's binary form: version, then trace id, span id and flags, each behind its number. */
  const binaryOf = (trace: string, span: string, flags: string) =>
    Buffer.from(`0000${trace}01${span}${flags}`, "hex").toString("base64");

  test.each([
    ["a trace", binaryOf(traceId, "3".repeat(16), "0201"), `00-${traceId}-${"3".repeat(16)}-01`],
    [
      "one without padding",
      binaryOf(traceId, "3".repeat(16), "0200").replace(/=+$/, ""),
      `00-${traceId}-${"3".repeat(16)}-00`,
    ],
    ["one without flags", binaryOf(traceId, spanId, ""), `00-${traceId}-${spanId}-00`],
    ["no trace id", binaryOf("0".repeat(32), spanId, "0201"), other],
    ["no span id", binaryOf(traceId, "0".repeat(16), "0201"), other],
    ["one cut short", Buffer.from(`0000${traceId}01`, "hex").toString("base64"), other],
    ["another version", Buffer.from(`0100${traceId}01${spanId}`, "hex").toString("base64"), other],
    ["nonsense", "???", other],
    ["nothing", "", other],
  ])("is what gRPC's own header says, before W3C's: %s", (_what, binary, expected) => {
    const headers = { "grpc-trace-bin": binary, traceparent: other };
    expect(traceOfCall(contextWith(headers)).traceParent).toBe(expected);
    const context = Object.assign(contextWith({}), { [nodeHeaders]: headers });
    expect(traceOfCall(context).traceParent).toBe(expected);
    expect(traceOfHeaders(headers).traceParent).toBe(other);
  });

  test.each<[string, TraceMessage, string]>([
    ["a traceparent", { traceParent: other }, other],
    ["none, and so that of the headers", { traceParent: "" }, traceParent],
    ["nonsense, and so that of the headers", { traceParent: "x" }, traceParent],
    ["a bare trace id, and so that of the headers", { traceParent: traceId }, traceParent],
    [
      "a trace id and a span id, as older clients",
      { traceParent: traceId, spanID: "2".repeat(16) },
      `00-${traceId}-${"2".repeat(16)}-01`,
    ],
  ])("is what the message says: %s", (_what, message, expected) => {
    const context = contextWith({ traceparent: traceParent });
    expect(traceOfCall(context, message).traceParent).toBe(expected);
  });
});
