// SPDX-License-Identifier: Apache-2.0

import { DaprError } from "../dapr/error.js";

/** A request that cannot be understood: ERR_MALFORMED_REQUEST. */
export function malformed(what: string): DaprError {
  return DaprError.of("ERR_MALFORMED_REQUEST", `malformed request: ${what}`);
}
