// SPDX-License-Identifier: Apache-2.0

import { isEngineError } from "@pawl/engine";
import type { ErrorCode } from "@pawl/protocol";
import { DaprError } from "../../dapr/error.js";
import type { DaprErrorCode, DaprOperation, DaprSubject } from "../../error-map.js";

/** Failures that the early form gives a status of its own; Dapr answers most of them with 500. */
const codes: Partial<Record<ErrorCode, DaprErrorCode>> = {
  INSTANCE_NOT_FOUND: "ERR_INSTANCE_ID_NOT_FOUND",
  EVENT_NOT_FOUND: "ERR_EVENT_NOT_FOUND",
  INSTANCE_EXISTS: "ERR_INSTANCE_ID_EXISTS",
  INSTANCE_NOT_ENDED: "ERR_INSTANCE_NOT_ENDED",
  PAYLOAD_TOO_LARGE: "ERR_PAYLOAD_TOO_LARGE",
};

/** The subject of operations that are not about one instance. */
export const allInstances = { subject: "", instanceId: "" } as const;

/**
 * Calls the engine; what it rejects with becomes an error of the early form. A request that turns out
 * to be wrong on the way keeps the error that says so.
 */
export async function callEngine<Result>(
  operation: DaprOperation,
  subject: DaprSubject & { readonly instanceId: string },
  call: () => Promise<Result>,
): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof DaprError ? error : toEarlyError(error, operation, subject);
  }
}

function toEarlyError(
  error: unknown,
  operation: DaprOperation,
  subject: DaprSubject & { readonly instanceId: string },
): DaprError {
  const code = isEngineError(error) ? codes[error.code] : undefined;
  if (code === undefined || !(error instanceof Error)) {
    return DaprError.from(error, operation, subject, subject.instanceId);
  }
  return code === "ERR_INSTANCE_ID_NOT_FOUND"
    ? DaprError.unknownInstance(subject.instanceId)
    : DaprError.of(code, error.message);
}
