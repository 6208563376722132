// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from "@pawl/protocol";

const brand = Symbol.for("pawl.EngineError");

/**
 * What the engine throws when a caller's command cannot be done. Switch on `code`; the message is
 * for people and may change. `details` has facts for programs (ids, limits).
 */
export class EngineError extends Error {
  override readonly name = "EngineError";
  /** Stable code; see docs/errors.md. */
  readonly code: ErrorCode;
  /** Facts for programs, for instance `{ instanceId }`. */
  readonly details: Readonly<Record<string, string>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: Readonly<Record<string, string>>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
    Object.defineProperty(this, brand, { value: true });
  }
}

/** True for an `EngineError`, also one made by another copy of this package. */
export function isEngineError(error: unknown): error is EngineError {
  return typeof error === "object" && error !== null && brand in error;
}

/** True for the error of a store that cannot be read, written or opened for now. */
export function isUnavailable(error: unknown): boolean {
  return isEngineError(error) && error.code === "STORE_UNAVAILABLE";
}

/** Passes over a failure, unless it is the store's. @throws STORE_UNAVAILABLE */
export function rethrowUnavailable(error: unknown): void {
  if (isUnavailable(error)) throw error;
}

/** What an error rests on: the cause says more than the error about it. */
export function firstCause(error: unknown): unknown {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  return cause;
}

/** What an error says. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What the system says of itself, not of a folder: no room, too many open files, a disk that does not answer. */
const passing = /^(ENOSPC|EDQUOT|EIO|EMFILE|ENFILE|ENOMEM)$/;

/** The error of a path where no folder can be made, read or written; of one where it cannot be for now. */
export function unusable(dataDir: string, cause: unknown): EngineError {
  const reason = reasonOf(cause);
  if (cause instanceof Error && "code" in cause && passing.test(String(cause.code))) {
    return notNow(dataDir, reason, cause);
  }
  return new EngineError(
    "INVALID_ARGUMENT",
    `the data folder ${dataDir} cannot be used (${reason}): name another folder`,
    { details: { dataDir }, cause },
  );
}

/** The error of a folder that the system does not let be opened, which says nothing of what is in it. */
export function notNow(dataDir: string, reason: string, cause: unknown): EngineError {
  return new EngineError(
    "STORE_UNAVAILABLE",
    `the system does not let the data folder ${dataDir} be opened (${reason}): remove the cause, and try again`,
    { details: { dataDir }, cause },
  );
}
