// SPDX-License-Identifier: Apache-2.0

import { DaprError } from "../dapr/error.js";

/** A request that cannot be understood: ERR_MALFORMED_REQUEST. */
export function malformed(what: string): DaprError {
  return DaprError.of("ERR_MALFORMED_REQUEST", `malformed request: ${what}`);
}

/** How Node quotes a text that is no JSON. It may be a payload, and the message goes into the log. */
const quotation = /, (?:\.{3})?".*"(?:\.{3})? is not valid JSON$/su;

/** A body that is not what it must be, in Dapr's words; `cause` is what was thrown at it, or says why. */
export function malformedBody(cause: unknown): DaprError {
  const text = (cause instanceof Error ? cause.message : String(cause)).replace(quotation, "");
  return DaprError.of("ERR_MALFORMED_REQUEST", `failed deserializing HTTP body: ${text}`);
}
