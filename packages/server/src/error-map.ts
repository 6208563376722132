// SPDX-License-Identifier: Apache-2.0

import { Code } from "@connectrpc/connect";
import type { ErrorCode } from "@pawl/protocol";

/** How one error code is answered in each protocol. */
export interface ErrorStatus {
  /** Code in Connect, gRPC and gRPC-Web. */
  readonly connect: Code;
  /** HTTP status of Pawl's own answers. */
  readonly http: number;
  /** HTTP status where Dapr's API answers the code of the operation (`daprOperations`). */
  readonly daprHttp: number;
  /** gRPC code of the same answer in the `Dapr` service. */
  readonly daprGrpc: Code;
}

/** Dapr answers every failure of an operation alike. */
const failed = { daprHttp: 500, daprGrpc: Code.Internal } as const;
const refused = { daprHttp: 400, daprGrpc: Code.InvalidArgument } as const;
const unavailable = { http: 503, daprHttp: 503 } as const;

/** The one table of error code to outside form. A new code without a row does not compile. */
export const errorMap = {
  INVALID_ARGUMENT: { connect: Code.InvalidArgument, http: 400, ...refused },
  MALFORMED_REQUEST: { connect: Code.InvalidArgument, http: 400, ...refused },
  PAYLOAD_TOO_LARGE: { connect: Code.ResourceExhausted, http: 413, ...refused },
  UNAUTHENTICATED: {
    connect: Code.Unauthenticated,
    http: 401,
    daprHttp: 401,
    daprGrpc: Code.Unauthenticated,
  },
  PERMISSION_DENIED: {
    connect: Code.PermissionDenied,
    http: 403,
    daprHttp: 403,
    daprGrpc: Code.PermissionDenied,
  },
  COMPONENT_NOT_FOUND: { connect: Code.NotFound, http: 404, ...refused },
  WORKFLOW_NOT_FOUND: {
    connect: Code.NotFound,
    http: 404,
    daprHttp: 404,
    daprGrpc: Code.NotFound,
  },
  INSTANCE_NOT_FOUND: { connect: Code.NotFound, http: 404, ...failed },
  EVENT_NOT_FOUND: { connect: Code.NotFound, http: 404, ...failed },
  INSTANCE_EXISTS: { connect: Code.AlreadyExists, http: 409, ...failed },
  INSTANCE_NOT_ENDED: { connect: Code.FailedPrecondition, http: 409, ...failed },
  INSTANCE_DAMAGED: { connect: Code.DataLoss, http: 500, ...failed },
  BATCH_NOT_FOUND: { connect: Code.NotFound, http: 404, ...failed },
  BATCH_EXISTS: { connect: Code.AlreadyExists, http: 409, ...failed },
  RESOURCE_EXHAUSTED: {
    connect: Code.ResourceExhausted,
    http: 429,
    daprHttp: 429,
    daprGrpc: Code.ResourceExhausted,
  },
  DEADLINE_EXCEEDED: {
    connect: Code.DeadlineExceeded,
    http: 504,
    daprHttp: 504,
    daprGrpc: Code.DeadlineExceeded,
  },
  CANCELLED: { connect: Code.Canceled, http: 499, daprHttp: 499, daprGrpc: Code.Canceled },
  SHUTTING_DOWN: { connect: Code.Unavailable, daprGrpc: Code.Unavailable, ...unavailable },
  STORE_LOCKED: { connect: Code.Unavailable, daprGrpc: Code.Unavailable, ...unavailable },
  STORE_DAMAGED: { connect: Code.DataLoss, http: 500, ...failed },
  STORE_TOO_NEW: { connect: Code.FailedPrecondition, http: 500, ...failed },
  STORE_UNAVAILABLE: { connect: Code.Unavailable, daprGrpc: Code.Unavailable, ...unavailable },
  UNIMPLEMENTED: {
    connect: Code.Unimplemented,
    http: 404,
    daprHttp: 501,
    daprGrpc: Code.Unimplemented,
  },
  INTERNAL: { connect: Code.Internal, http: 500, ...failed },
} satisfies Record<ErrorCode, ErrorStatus>;

/** The error code for a failure that the RPC library found before any of our code ran. */
export function errorCodeOf(code: Code): ErrorCode {
  switch (code) {
    case Code.InvalidArgument:
      return "INVALID_ARGUMENT";
    case Code.Unauthenticated:
      return "UNAUTHENTICATED";
    case Code.PermissionDenied:
      return "PERMISSION_DENIED";
    case Code.ResourceExhausted:
      return "PAYLOAD_TOO_LARGE";
    case Code.DeadlineExceeded:
      return "DEADLINE_EXCEEDED";
    case Code.Canceled:
      return "CANCELLED";
    case Code.Unavailable:
      return "SHUTTING_DOWN";
    case Code.Unimplemented:
    case Code.NotFound:
      return "UNIMPLEMENTED";
    default:
      return "INTERNAL";
  }
}

/** Error codes with a status of their own: Dapr's, and those of its early form (docs/rest.md). */
export const daprErrors = {
  ERR_WORKFLOW_NAME_MISSING: { http: 400, connect: Code.InvalidArgument },
  ERR_INSTANCE_ID_PROVIDED_MISSING: { http: 400, connect: Code.InvalidArgument },
  ERR_INSTANCE_ID_TOO_LONG: { http: 400, connect: Code.InvalidArgument },
  ERR_INSTANCE_ID_INVALID: { http: 400, connect: Code.InvalidArgument },
  ERR_INSTANCE_ID_NOT_FOUND: { http: 404, connect: Code.NotFound },
  ERR_WORKFLOW_COMPONENT_NOT_FOUND: { http: 400, connect: Code.InvalidArgument },
  ERR_WORKFLOW_EVENT_NAME_MISSING: { http: 400, connect: Code.InvalidArgument },
  ERR_WORKFLOW_APP_ID_INVALID: { http: 400, connect: Code.InvalidArgument },
  // Of the early form, in which Dapr has no codes.
  ERR_INSTANCE_ID_EXISTS: { http: 409, connect: Code.AlreadyExists },
  ERR_EVENT_NOT_FOUND: { http: 404, connect: Code.NotFound },
  ERR_INSTANCE_NOT_ENDED: { http: 409, connect: Code.FailedPrecondition },
  ERR_PAYLOAD_TOO_LARGE: { http: 413, connect: Code.ResourceExhausted },
  ERR_WORKFLOW_METADATA_INVALID: { http: 400, connect: Code.InvalidArgument },
  ERR_WORKFLOW_FAILED: { http: 500, connect: Code.Unknown },
  ERR_WORKFLOW_TERMINATED: { http: 500, connect: Code.Aborted },
  // Of every form.
  ERR_BODY_READ: { http: 400, connect: Code.InvalidArgument },
  ERR_MALFORMED_REQUEST: { http: 400, connect: Code.InvalidArgument },
  ERR_DIRECT_INVOKE: { http: 404, connect: Code.Unimplemented },
  ERR_HEALTH_NOT_READY: { http: 500, connect: Code.Internal },
  ERR_OUTBOUND_HEALTH_NOT_READY: { http: 500, connect: Code.Internal },
  ERR_HEALTH_APPID_NOT_MATCH: { http: 500, connect: Code.Internal },
  ERROR: { http: 500, connect: Code.Internal },
} as const satisfies Record<string, { http: number; connect: Code }>;

/** One of Dapr's error codes that has a status of its own. */
export type DaprErrorCode = keyof typeof daprErrors;

/** What an operation's message is made of. */
export interface DaprSubject {
  /** The instance, or the workflow's name at start. */
  readonly subject: string;
  readonly event?: string;
}

/**
 * Dapr's error code and message for a failed operation. `notFound` says whether an unknown instance
 * is answered with ERR_INSTANCE_ID_NOT_FOUND (404) instead.
 */
export const daprOperations = {
  start: {
    code: "ERR_START_WORKFLOW",
    notFound: false,
    message: ({ subject }: DaprSubject, cause: string) =>
      `error starting workflow '${subject}': unable to start workflow: failed to start workflow: ${cause}`,
  },
  get: {
    code: "ERR_GET_WORKFLOW",
    notFound: true,
    message: ({ subject }: DaprSubject, cause: string) =>
      `error while getting workflow info on instance '${subject}': failed to get workflow metadata for '${subject}': ${cause}`,
  },
  list: {
    code: "ERR_GET_WORKFLOW",
    notFound: false,
    message: (_: DaprSubject, cause: string) => `error while listing workflows: ${cause}`,
  },
  raiseEvent: {
    code: "ERR_RAISE_EVENT_WORKFLOW",
    notFound: false,
    message: ({ subject, event }: DaprSubject, cause: string) =>
      `error raising event on workflow '${subject}': failed to raise event ${event ?? ""} on workflow ${subject}: failed to raise event: ${cause}`,
  },
  terminate: {
    code: "ERR_TERMINATE_WORKFLOW",
    notFound: true,
    message: ({ subject }: DaprSubject, cause: string) =>
      `error terminating workflow '${subject}': failed to terminate workflow ${subject}: failed to submit termination request:: ${cause}`,
  },
  pause: {
    code: "ERR_PAUSE_WORKFLOW",
    notFound: false,
    message: ({ subject }: DaprSubject, cause: string) =>
      `error pausing workflow ${subject}: failed to pause workflow ${subject}: failed to suspend workflow: ${cause}`,
  },
  resume: {
    code: "ERR_RESUME_WORKFLOW",
    notFound: false,
    message: ({ subject }: DaprSubject, cause: string) =>
      `error resuming workflow ${subject}: failed to resume workflow ${subject}: failed to resume workflow: ${cause}`,
  },
  purge: {
    code: "ERR_PURGE_WORKFLOW",
    notFound: true,
    message: ({ subject }: DaprSubject, cause: string) =>
      `error purging workflow ${subject}: failed to Purge workflow ${subject}: failed to purge workflow state: ${cause}`,
  },
} as const satisfies Record<string, DaprOperationRow>;

interface DaprOperationRow {
  readonly code: string;
  readonly notFound: boolean;
  message(subject: DaprSubject, cause: string): string;
}

/** An operation of Dapr's workflow API. */
export type DaprOperation = keyof typeof daprOperations;

/**
 * The words that Dapr's engine has for a failure and that its SDKs look for in messages; any other
 * code speaks with the engine's own message.
 */
export function daprCause(code: ErrorCode, message: string): string {
  switch (code) {
    case "INSTANCE_NOT_FOUND":
      return "no such instance exists";
    case "INSTANCE_EXISTS":
      return `rpc error: code = AlreadyExists desc = ${message}`;
    case "INSTANCE_NOT_ENDED":
      return "orchestration has not yet completed";
    case "INTERNAL":
      return "internal error";
    default:
      return message;
  }
}
