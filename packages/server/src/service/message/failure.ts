// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import type { Failure } from "@pawl/engine";
import {
  type Failure as FailureMessage,
  FailureSchema,
  type TaskFailureDetails,
  TaskFailureDetailsSchema,
} from "@pawl/protocol";

/** A failure in Durable Task's form. Pawl's message of a failure has the fields of the engine's. */
export function toFailureDetails(failure: Failure | FailureMessage): TaskFailureDetails {
  const details = create(TaskFailureDetailsSchema, {
    errorType: failure.type,
    errorMessage: failure.message,
    isNonRetriable: failure.nonRetriable,
  });
  if (failure.stackTrace !== undefined) {
    details.stackTrace = failure.stackTrace;
  }
  if (failure.cause !== undefined) {
    details.innerFailure = toFailureDetails(failure.cause);
  }
  return details;
}

/** A failure in pawl.v1's form. */
export function toFailureMessage(failure: Failure): FailureMessage {
  const message = create(FailureSchema, {
    type: failure.type,
    message: failure.message,
    nonRetriable: failure.nonRetriable,
  });
  if (failure.stackTrace !== undefined) {
    message.stackTrace = failure.stackTrace;
  }
  if (failure.cause !== undefined) {
    message.cause = toFailureMessage(failure.cause);
  }
  return message;
}
