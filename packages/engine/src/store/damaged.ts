// SPDX-License-Identifier: Apache-2.0

import { EngineError, isEngineError } from "../errors.js";

/** The error of a damaged instance. */
export function damaged(what: string, cause?: unknown): EngineError {
  return new EngineError("INSTANCE_DAMAGED", `the store is damaged: ${what}`, { cause });
}

/** True for the error of a damaged instance. */
export function isDamage(error: unknown): error is EngineError {
  return isEngineError(error) && error.code === "INSTANCE_DAMAGED";
}
