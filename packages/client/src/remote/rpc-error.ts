// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError } from "@connectrpc/connect";
import { type ErrorCode, ErrorDetailSchema, errorCodes } from "@pawl/protocol";
import { isPawlError, PawlError, type PawlErrorCode } from "../errors.js";

/** What an answer without a detail means: one of a proxy, or of no server at all. */
const codeOf: Readonly<Partial<Record<Code, PawlErrorCode>>> = {
  [Code.Canceled]: "CANCELLED",
  [Code.InvalidArgument]: "INVALID_ARGUMENT",
  [Code.DeadlineExceeded]: "DEADLINE_EXCEEDED",
  [Code.NotFound]: "INSTANCE_NOT_FOUND",
  [Code.Unauthenticated]: "UNAUTHENTICATED",
  [Code.PermissionDenied]: "PERMISSION_DENIED",
  [Code.AlreadyExists]: "INSTANCE_EXISTS",
  [Code.ResourceExhausted]: "RESOURCE_EXHAUSTED",
  [Code.Unimplemented]: "UNIMPLEMENTED",
  [Code.Unavailable]: "UNREACHABLE",
};

/** What protobuf-es, and Connect, say of a request that has no form on the wire: half an event id, say. */
const unencodable = /^(?:serialize \w+: )?cannot encode /;

/** Turns what an engine, near or far, rejected with into a `PawlError`. */
export function toPawlError(error: unknown): PawlError {
  if (isPawlError(error)) return error;
  if (isEngineError(error)) {
    return new PawlError(error.code, error.message, { details: error.details, cause: error });
  }
  const rpcError = ConnectError.from(error);
  const [detail] = rpcError.findDetails(ErrorDetailSchema);
  const code = errorCodes.find((known) => known === detail?.code);
  return new PawlError(code ?? meaningOf(rpcError), rpcError.rawMessage, {
    details: { ...detail?.facts },
    cause: error,
  });
}

/** The code of an error that names none. */
function meaningOf(error: ConnectError): PawlErrorCode {
  if (isConnectionFailure(error)) return "UNREACHABLE";
  if (unencodable.test(error.rawMessage)) return "INVALID_ARGUMENT";
  return codeOf[error.code] ?? "INTERNAL";
}

/** What Node says of a connection that could not be made: a certificate that is not trusted, say. */
function isConnectionFailure({ code, cause }: ConnectError): boolean {
  return code === Code.Internal && cause instanceof Error && "code" in cause;
}

/** The engine's errors are told by their brand: this package does not import the engine. */
function isEngineError(error: unknown): error is Error & {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, string>>;
} {
  return error instanceof Error && Symbol.for("pawl.EngineError") in error;
}

/** The answer of a port or service; what it rejects with becomes a `PawlError`. */
export function asked<T>(answer: Promise<T>): Promise<T> {
  return answer.catch(rethrow);
}

function rethrow(error: unknown): never {
  throw toPawlError(error);
}
