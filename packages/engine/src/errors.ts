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

/** Passes over a failure, unless it is the store's. @throws STORE_UNAVAILABLE */
export function rethrowUnavailable(error: unknown): void {
  if (isEngineError(error) && error.code === "STORE_UNAVAILABLE") throw error;
}
