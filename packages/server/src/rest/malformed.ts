// SPDX-License-Identifier: Apache-2.0

import { DaprError } from "../dapr/error.js";

/** A request that cannot be understood: ERR_MALFORMED_REQUEST. */
export function malformed(what: string): DaprError {
  return DaprError.of("ERR_MALFORMED_REQUEST", `malformed request: ${what}`);
}

/** A body that is not what it must be, in Dapr's words; `cause` is what was thrown at it, or says why. */
export function malformedBody(cause: unknown): DaprError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return DaprError.of("ERR_MALFORMED_REQUEST", `failed deserializing HTTP body: ${text}`);
}
