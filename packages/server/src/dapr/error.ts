// SPDX-License-Identifier: Apache-2.0

import type { Code } from "@connectrpc/connect";
import { isEngineError } from "@pawl/engine";
import type { ErrorCode } from "@pawl/protocol";
import {
  type DaprErrorCode,
  type DaprOperation,
  type DaprSubject,
  daprCause,
  daprErrors,
  daprOperations,
  errorMap,
} from "../error-map.js";
import { StrictRefusal } from "./strict-refusal.js";

/** Failures for which Dapr has no status of their own. */
const ownStates: ReadonlySet<ErrorCode> = new Set([
  "RESOURCE_EXHAUSTED",
  "SHUTTING_DOWN",
  "STORE_LOCKED",
  "STORE_UNAVAILABLE",
]);

/** A failure as Dapr's workflow API words it, for its REST paths and its gRPC service alike. */
export class DaprError extends Error {
  override readonly name = "DaprError";
  /** Dapr's `errorCode`. */
  readonly errorCode: string;
  /** HTTP status. */
  readonly http: number;
  /** gRPC and Connect code. */
  readonly connect: Code;
  /** Pawl's own code for the same failure, when the engine raised it. */
  readonly engineCode: ErrorCode | undefined;

  private constructor(
    errorCode: string,
    status: { http: number; connect: Code },
    message: string,
    cause?: { code: ErrorCode; error: unknown },
  ) {
    super(message, cause === undefined ? undefined : { cause: cause.error });
    this.errorCode = errorCode;
    this.http = status.http;
    this.connect = status.connect;
    this.engineCode = cause?.code;
  }

  /** A failure with a code and status of its own. */
  static of(code: DaprErrorCode, message: string): DaprError {
    return new DaprError(code, daprErrors[code], message);
  }

  /** No component has the name that was given. */
  static unknownComponent(error: unknown): DaprError {
    const code = "ERR_WORKFLOW_COMPONENT_NOT_FOUND";
    const message = error instanceof Error ? error.message : "";
    const cause = { code: "COMPONENT_NOT_FOUND", error } as const;
    return new DaprError(code, daprErrors[code], message, cause);
  }

  /** No instance has the id; `error` is the engine's, when it said so. */
  static unknownInstance(instanceId: string, error?: unknown): DaprError {
    const code = "ERR_INSTANCE_ID_NOT_FOUND";
    const message = `unable to find workflow with the provided instance ID: ${instanceId}`;
    const cause =
      error === undefined ? undefined : ({ code: "INSTANCE_NOT_FOUND", error } as const);
    return new DaprError(code, daprErrors[code], message, cause);
  }

  /** `operation` failed for a reason that the engine never saw. */
  static failed(operation: DaprOperation, subject: DaprSubject, cause: string): DaprError {
    const row = daprOperations[operation];
    return new DaprError(row.code, daprErrors.ERROR, row.message(subject, cause));
  }

  /** The same, in words in which the engine does not appear. */
  static refused(operation: DaprOperation, message: string): DaprError {
    return new DaprError(daprOperations[operation].code, daprErrors.ERROR, message);
  }

  /**
   * What `operation` answers when the engine rejects it with `error`. `strict`: states that Dapr does not
   * have are failures like any other.
   */
  static from(
    error: unknown,
    operation: DaprOperation,
    subject: DaprSubject,
    instanceId: string,
    strict = false,
  ): DaprError {
    if (error instanceof DaprError) return error;
    if (error instanceof StrictRefusal) return DaprError.failed(operation, subject, error.message);
    const row = daprOperations[operation];
    const code = isEngineError(error) ? error.code : "INTERNAL";
    if (code === "INSTANCE_NOT_FOUND" && row.notFound) {
      return DaprError.unknownInstance(instanceId, error);
    }
    const { daprHttp: http, daprGrpc: connect } = errorMap[code];
    const status = strict && ownStates.has(code) ? daprErrors.ERROR : { http, connect };
    const text = error instanceof Error ? error.message : "";
    const message = row.message(subject, daprCause(code, text));
    return new DaprError(row.code, status, message, { code, error });
  }
}
