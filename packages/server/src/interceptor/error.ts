// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { isEngineError } from "@pawl/engine";
import { type ErrorCode, ErrorDetailSchema } from "@pawl/protocol";
import { DaprError } from "../dapr/error.js";
import { errorCodeOf, errorMap } from "../error-map.js";

/** Told of every failed call, once. `error` is what was thrown, `sent` what the caller gets. */
export type FailureReport = (procedure: string, error: unknown, sent: ConnectError) => void;

/**
 * Turns whatever a call throws into the error that the caller gets: `EngineError` and `DaprError` by
 * the error table, with the stable code as a detail; anything unknown into INTERNAL without its
 * text.
 */
export function createErrorInterceptor(report: FailureReport): Interceptor {
  return (next) => async (request) => {
    const procedure = `${request.service.typeName}/${request.method.name}`;
    const translate = (error: unknown): ConnectError => {
      const sent = toConnectError(error, request.signal);
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

/** The error that a caller gets for `error`. `signal` is the call's. */
export function toConnectError(error: unknown, signal?: AbortSignal): ConnectError {
  if (isEngineError(error)) {
    const reason: unknown = signal?.aborted === true ? signal.reason : undefined;
    if (error.code === "CANCELLED" && reason instanceof ConnectError) {
      // The engine only knows that the wait was given up; the call knows why. Calls share reasons.
      const sent = new ConnectError(reason.rawMessage, reason.code);
      return withDetail(sent, errorCodeOf(reason.code), error.details);
    }
    if (error.code === "INTERNAL") {
      return internal(error);
    }
    const sent = new ConnectError(
      error.message,
      errorMap[error.code].connect,
      undefined,
      [],
      error,
    );
    return withDetail(sent, error.code, error.details);
  }
  if (error instanceof DaprError) {
    const sent = new ConnectError(error.message, error.connect, undefined, [], error);
    return error.engineCode === undefined ? sent : withDetail(sent, error.engineCode, {});
  }
  if (error instanceof ConnectError) {
    return fromLibrary(error);
  }
  if (isHangUp(error)) {
    return withDetail(new ConnectError("the caller hung up", Code.Canceled), "CANCELLED", {});
  }
  return internal(error);
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

/** What the RPC library throws about messages that it cannot read, and what services throw. */
function fromLibrary(error: ConnectError): ConnectError {
  if (error.code === Code.Internal && error.rawMessage.startsWith("parse binary:")) {
    const sent = new ConnectError(error.rawMessage, Code.InvalidArgument, undefined, [], error);
    return withDetail(sent, "MALFORMED_REQUEST", {});
  }
  if (error.code === Code.InvalidArgument && error.rawMessage.startsWith("cannot decode message")) {
    return withDetail(error, "MALFORMED_REQUEST", {});
  }
  return withDetail(error, errorCodeOf(error.code), {});
}

function internal(error: unknown): ConnectError {
  const sent = new ConnectError(
    "internal error; see the server's log",
    Code.Internal,
    undefined,
    [],
    error,
  );
  return withDetail(sent, "INTERNAL", {});
}

function withDetail(
  error: ConnectError,
  code: ErrorCode,
  facts: Readonly<Record<string, string>>,
): ConnectError {
  if (error.findDetails(ErrorDetailSchema).length === 0) {
    error.details.push({ desc: ErrorDetailSchema, value: { code, facts: { ...facts } } });
  }
  return error;
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
