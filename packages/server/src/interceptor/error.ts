// SPDX-License-Identifier: Apache-2.0

import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { isEngineError } from "@pawl/engine";
import { type ErrorCode, ErrorDetailSchema } from "@pawl/protocol";
import { DaprError } from "../dapr/error.js";
import { StrictRefusal } from "../dapr/strict-refusal.js";
import { errorCodeOf, errorMap } from "../error-map.js";
import { shortenError, shortenFacts } from "./error-size.js";

/** Told of every failed call, once. `error` is what was thrown, `sent` what the caller gets. */
export type FailureReport = (procedure: string, error: unknown, sent: ConnectError) => void;

/** Says whether the errors of a service carry a `pawl.v1.ErrorDetail`. */
export type DetailRule = (service: DescService) => boolean;

/**
 * Turns whatever a call throws into the error that the caller gets: `EngineError` and `DaprError` by
 * the error table, with the stable code as a detail where `hasDetail` says so; anything unknown into
 * INTERNAL without its text.
 */
export function createErrorInterceptor(report: FailureReport, hasDetail: DetailRule): Interceptor {
  return (next) => async (request) => {
    const procedure = `${request.service.typeName}/${request.method.name}`;
    const isDetailed = hasDetail(request.service);
    const translate = (error: unknown): ConnectError => {
      const sent = toConnectError(error, { isDetailed, signal: request.signal });
      report(procedure, error, sent);
      return sent;
    };
    try {
      const response = await next(request);
      if (!response.stream) {
        return response;
      }
      return { ...response, message: mapErrors(response.message, translate) };
    } catch (error) {
      throw translate(error);
    }
  };
}

/** What the translation of an error depends on besides the error. */
export interface ErrorContext {
  /** Whether it gets a `pawl.v1.ErrorDetail`. @default true */
  readonly isDetailed?: boolean;
  /** The call's. */
  readonly signal?: AbortSignal;
}

/** The error that a caller gets for `error`, no longer than headers can carry it. */
export function toConnectError(error: unknown, context: ErrorContext = {}): ConnectError {
  const { isDetailed = true, signal } = context;
  const { sent: whole, code, facts } = translateError(error, signal);
  const sent = shortenError(whole);
  if (isDetailed && sent.findDetails(ErrorDetailSchema).length === 0) {
    sent.details.push({ desc: ErrorDetailSchema, value: { code, facts: shortenFacts(facts) } });
  }
  return sent;
}

/** What a caller is told. */
interface Translation {
  readonly sent: ConnectError;
  readonly code: ErrorCode;
  readonly facts: Readonly<Record<string, string>>;
}

function translateError(error: unknown, signal: AbortSignal | undefined): Translation {
  if (isEngineError(error)) {
    const reason: unknown = signal?.aborted === true ? signal.reason : undefined;
    if (error.code === "CANCELLED" && reason instanceof ConnectError) {
      // The engine only knows that the wait was given up; the call knows why.
      return givenUp(reason, error.details);
    }
    if (error.code === "INTERNAL") {
      return internal(error);
    }
    const { connect } = errorMap[error.code];
    const sent = new ConnectError(error.message, connect, undefined, [], error);
    return { sent, code: error.code, facts: error.details };
  }
  if (error instanceof DaprError) {
    const reason: unknown = signal?.aborted === true ? signal.reason : undefined;
    if (error.engineCode === "CANCELLED" && reason instanceof ConnectError) {
      return givenUp(reason, {});
    }
    const sent = new ConnectError(error.message, error.connect, undefined, [], error);
    // What the engine never saw is the caller's fault, whatever Dapr calls it.
    const own = error.connect === Code.Internal ? "INVALID_ARGUMENT" : errorCodeOf(error.connect);
    return { sent, code: error.engineCode ?? own, facts: {} };
  }
  if (error instanceof StrictRefusal) {
    const sent = new ConnectError(error.message, error.connect, undefined, [], error);
    return { sent, code: errorCodeOf(error.connect), facts: {} };
  }
  if (error instanceof ConnectError) {
    return fromLibrary(error);
  }
  if (error instanceof Error && error.name === "AbortError") {
    const reason: unknown = signal?.reason;
    return givenUp(reason instanceof ConnectError ? reason : hungUp, {});
  }
  if (isHangUp(error)) {
    return givenUp(hungUp, {});
  }
  return internal(error);
}

const hungUp = new ConnectError("the caller hung up", Code.Canceled);

/** A copy of the reason, which may be that of many calls: each has its own details. */
function givenUp(reason: ConnectError, facts: Readonly<Record<string, string>>): Translation {
  const sent = new ConnectError(reason.rawMessage, reason.code, undefined, [], reason);
  return { sent, code: errorCodeOf(reason.code), facts };
}

/** What Node throws from a stream whose peer went away. */
function isHangUp(error: unknown): boolean {
  return error instanceof Error && "code" in error && hangUpCodes.has(error.code);
}

const hangUpCodes: ReadonlySet<unknown> = new Set([
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_HTTP2_INVALID_STREAM",
  "ECONNRESET",
  "EPIPE",
]);

/** How the RPC library begins to say that it cannot read a message; the code depends on what is wrong with it. */
const unreadable = ["decompression failed", "parse binary:", "cannot decode message"];

/** gRPC answers a compressed message without a named compression with INTERNAL, its sender's fault. */
function isMisuse(error: ConnectError): boolean {
  return error.rawMessage.startsWith("received compressed envelope");
}

/** Whether a failure is the caller's although its code in Connect and gRPC is that of our own faults. */
export function isCallersFault(error: unknown): boolean {
  if (error instanceof StrictRefusal) return true;
  return error instanceof DaprError
    ? !ownFaults.has(error.engineCode)
    : error instanceof ConnectError && isMisuse(error);
}

const ownFaults: ReadonlySet<ErrorCode | undefined> = new Set([
  "INTERNAL",
  "INSTANCE_DAMAGED",
  "STORE_DAMAGED",
]);

/** What the RPC library throws about messages that it cannot read, and what services throw. */
function fromLibrary(error: ConnectError): Translation {
  if (isMisuse(error)) {
    return { sent: error, code: "MALFORMED_REQUEST", facts: {} };
  }
  const { rawMessage, code } = error;
  const mayBeUnreadable = code === Code.Internal || code === Code.InvalidArgument;
  if (!mayBeUnreadable || !unreadable.some((words) => rawMessage.startsWith(words))) {
    return { sent: error, code: errorCodeOf(code), facts: {} };
  }
  const sent = new ConnectError(rawMessage, Code.InvalidArgument, undefined, [], error);
  return { sent, code: "MALFORMED_REQUEST", facts: {} };
}

function internal(error: unknown): Translation {
  const text = "internal error; see the server's log";
  const sent = new ConnectError(text, Code.Internal, undefined, [], error);
  return { sent, code: "INTERNAL", facts: {} };
}

/** Passes a stream on, with its errors translated. */
function mapErrors<T>(
  source: AsyncIterable<T>,
  translate: (error: unknown) => unknown,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]();
      const rethrow = (error: unknown): never => {
        throw translate(error);
      };
      return {
        next: () => iterator.next().catch(rethrow),
        return: (value) => iterator.return?.(value) ?? Promise.resolve({ done: true, value }),
        throw: (reason) => iterator.throw?.(reason) ?? Promise.reject(reason),
      };
    },
  };
}
