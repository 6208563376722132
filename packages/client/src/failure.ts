// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import {
  type Failure as FailureMessage,
  FailureSchema,
  type TaskFailureDetails,
  TaskFailureDetailsSchema,
} from "@pawl/protocol";
import { isNonRetriable } from "./errors.js";
import type { Failure } from "./port.js";

/** Causes that are kept of one error. */
const causeLimit = 16;

/** Describes what was thrown: name, message, stack, causes. */
export function failureOf(error: unknown, depth = 0): Failure {
  if (!(error instanceof Error)) {
    return { type: "Error", message: textOf(error), nonRetriable: false };
  }
  const hasCause = error.cause !== undefined && depth < causeLimit;
  return {
    // Some libraries put numbers or objects there, which no message of a protocol takes.
    type: textOf(error.name),
    message: textOf(error.message),
    ...(typeof error.stack === "string" ? { stackTrace: error.stack } : {}),
    ...(hasCause ? { cause: failureOf(error.cause, depth + 1) } : {}),
    nonRetriable: isNonRetriable(error),
  };
}

/** Text of whatever was thrown. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return "a value without text";
  }
}

/** Rebuilds an error from its description, so that it can be the cause of another. */
export function errorOf(failure: Failure): Error {
  const cause = failure.cause === undefined ? undefined : errorOf(failure.cause);
  const error = new Error(failure.message, cause === undefined ? undefined : { cause });
  error.name = failure.type;
  if (failure.stackTrace !== undefined) error.stack = failure.stackTrace;
  return error;
}

/** A failure in Durable Task's form. */
export function toFailureDetails(failure: Failure): TaskFailureDetails {
  return create(TaskFailureDetailsSchema, {
    errorType: failure.type,
    errorMessage: failure.message,
    ...(failure.stackTrace === undefined ? {} : { stackTrace: failure.stackTrace }),
    ...(failure.cause === undefined ? {} : { innerFailure: toFailureDetails(failure.cause) }),
    isNonRetriable: failure.nonRetriable,
  });
}

/** Reads a failure from Durable Task's form. */
export function fromFailureDetails(details: TaskFailureDetails): Failure {
  return {
    type: details.errorType,
    message: details.errorMessage,
    ...(details.stackTrace === undefined ? {} : { stackTrace: details.stackTrace }),
    ...(details.innerFailure === undefined
      ? {}
      : { cause: fromFailureDetails(details.innerFailure) }),
    nonRetriable: details.isNonRetriable,
  };
}

/** A failure in the form of pawl.v1. */
export function toFailureMessage(failure: Failure): FailureMessage {
  return create(FailureSchema, {
    type: failure.type,
    message: failure.message,
    ...(failure.stackTrace === undefined ? {} : { stackTrace: failure.stackTrace }),
    ...(failure.cause === undefined ? {} : { cause: toFailureMessage(failure.cause) }),
    nonRetriable: failure.nonRetriable,
  });
}

/** Reads a failure from the form of pawl.v1. */
export function fromFailureMessage(message: FailureMessage): Failure {
  return {
    type: message.type,
    message: message.message,
    ...(message.stackTrace === undefined ? {} : { stackTrace: message.stackTrace }),
    ...(message.cause === undefined ? {} : { cause: fromFailureMessage(message.cause) }),
    nonRetriable: message.nonRetriable,
  };
}
