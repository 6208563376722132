// SPDX-License-Identifier: Apache-2.0

import { fromBinary } from "@bufbuild/protobuf";
import { CallResponseSchema } from "@pawl/protocol";
import type { Answer } from "./http2-caller.ts";
import { streamedPath } from "./input/streamed-calls.ts";

/** UNKNOWN and INTERNAL. */
const faultyCodes = new Set(["2", "13"]);
const faultyNames = new Set(["unknown", "internal"]);
const trailerFrame = 0x80;
const endStreamFrame = 0x02;
const headerBytes = 5;

/**
 * Why an answer is a fault of the server's own; undefined when it is none. An INTERNAL whose
 * `pawl.v1.ErrorDetail` says otherwise is none: Dapr and gRPC answer some faults of the caller so.
 */
export function findFault(answer: Answer): string | undefined {
  const { headers, trailers, body } = answer;
  const type = headers["content-type"] ?? "";
  if (headers["grpc-status"] !== undefined || trailers["grpc-status"] !== undefined) {
    const all = { ...headers, ...trailers };
    return faultInStatus((name) => String(all[name] ?? ""));
  }
  if (type.startsWith("application/grpc-web")) {
    const text = lastFrame(body, trailerFrame)?.toString() ?? "";
    return faultInStatus((name) => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(text)?.[1] ?? "");
  }
  if (type.startsWith("application/connect+")) {
    return faultInJson(lastFrame(body, endStreamFrame)?.toString() ?? "");
  }
  return type.startsWith("application/json") ? faultInJson(body.toString()) : undefined;
}

/** The same of the answers on a stream of calls, as far as they came whole. */
export function findStreamedFault(path: string, { headers, body }: Answer): string | undefined {
  const isRead =
    path === streamedPath && /^application\/grpc(\+proto)?$/.test(headers["content-type"] ?? "");
  return isRead ? [...framesOf(body)].flatMap(faultsInFrame)[0] : undefined;
}

function faultsInFrame(frame: Buffer): string[] {
  return fromBinary(CallResponseSchema, frame).answers.flatMap(({ result }) => {
    if (result.case !== "error" || !faultyCodes.has(String(result.value.code))) return [];
    const { details, message } = result.value;
    const isOurs =
      details.length === 0 || details.some(({ value }) => isInternal(Buffer.from(value)));
    return isOurs ? [`${result.value.code} ${message}`] : [];
  });
}

/** `get` reads gRPC's trailers by name. */
function faultInStatus(get: (name: string) => string): string | undefined {
  if (!faultyCodes.has(get("grpc-status"))) {
    return undefined;
  }
  const isOurs = saysInternal(get("grpc-status-details-bin"));
  return isOurs ? `${get("grpc-status")} ${get("grpc-message")}` : undefined;
}

/** Dapr answers many failures with 500; ERROR and "internal error" are its words for a fault. */
function faultInJson(text: string): string | undefined {
  const value: unknown = text === "" ? undefined : JSON.parse(text);
  if (typeof value !== "object" || value === null) {
    return undefined;
  }
  const error = "error" in value && typeof value.error === "object" ? value.error : value;
  if (error === null) {
    return undefined;
  }
  const code = "code" in error ? error.code : undefined;
  const details = "details" in error ? error.details : undefined;
  const isRpcFault =
    typeof code === "string" && faultyNames.has(code) && saysInternal(firstDetail(details));
  const isRestFault = "errorCode" in value && value.errorCode === "ERROR";
  return isRpcFault || isRestFault || /internal error/.test(text) ? text : undefined;
}

function firstDetail(details: unknown): string {
  const detail: unknown = Array.isArray(details) ? details[0] : undefined;
  const isDetail = typeof detail === "object" && detail !== null && "value" in detail;
  return isDetail && typeof detail.value === "string" ? detail.value : "";
}

/** True for encoded details with the error code INTERNAL in them, and for none at all. */
function saysInternal(base64: string): boolean {
  return base64 === "" || isInternal(Buffer.from(base64, "base64"));
}

function isInternal(details: Buffer): boolean {
  return details.includes("\n\bINTERNAL");
}

function* framesOf(body: Buffer): Generator<Buffer> {
  for (let at = 0; at + headerBytes <= body.length; ) {
    const end = at + headerBytes + body.readUInt32BE(at + 1);
    if (end <= body.length) yield body.subarray(at + headerBytes, end);
    at = end;
  }
}

/** The contents of the last of a body's frames, if it has this flag. */
function lastFrame(body: Buffer, flag: number): Buffer | undefined {
  let at = 0;
  while (at + headerBytes <= body.length) {
    const end = at + headerBytes + body.readUInt32BE(at + 1);
    if (end >= body.length) {
      return ((body[at] ?? 0) & flag) === 0 ? undefined : body.subarray(at + headerBytes, end);
    }
    at = end;
  }
  return undefined;
}
