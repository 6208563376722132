// SPDX-License-Identifier: Apache-2.0

/**
 * Every error code that Pawl answers with. Codes are stable: callers switch on them, never on
 * messages. `docs/errors.md` says what each means and what to do.
 */
export const errorCodes = [
  /** A field of the request is missing, malformed or over its limit. */
  "INVALID_ARGUMENT",
  /** The body is not valid JSON or protobuf. */
  "MALFORMED_REQUEST",
  /** A payload is larger than the limit. */
  "PAYLOAD_TOO_LARGE",
  /** The server wants a token or a certificate, and the request has none that it knows. */
  "UNAUTHENTICATED",
  /** The caller is known, and may not do this. */
  "PERMISSION_DENIED",
  /** No workflow component has this name. */
  "COMPONENT_NOT_FOUND",
  /** No workflow of this name that the caller may use. */
  "WORKFLOW_NOT_FOUND",
  /** No instance has this id. */
  "INSTANCE_NOT_FOUND",
  /** The history has no event of this id that could be meant. */
  "EVENT_NOT_FOUND",
  /** The id belongs to an instance that has not ended, or must be unique. */
  "INSTANCE_EXISTS",
  /** The instance must have ended for this, and has not. */
  "INSTANCE_NOT_ENDED",
  /** What the disk has of this instance is damaged; it is parked. */
  "INSTANCE_DAMAGED",
  /** No batch has this id. */
  "BATCH_NOT_FOUND",
  /** The id belongs to a batch that was asked to do something else. */
  "BATCH_EXISTS",
  /** A queue or limit is full; try again later. */
  "RESOURCE_EXHAUSTED",
  /** The caller's time was up before the answer was there. */
  "DEADLINE_EXCEEDED",
  /** The caller gave up. */
  "CANCELLED",
  /** The server or engine is stopping. */
  "SHUTTING_DOWN",
  /** The data folder is in use by another process. */
  "STORE_LOCKED",
  /** The data folder is damaged, or not one of Pawl's. */
  "STORE_DAMAGED",
  /** The data folder was written by a newer version. */
  "STORE_TOO_NEW",
  /** A write failed. Whether it took effect is known after the store has reopened; ask again. */
  "STORE_UNAVAILABLE",
  /** No such method or path. */
  "UNIMPLEMENTED",
  /** A fault of Pawl's own. */
  "INTERNAL",
] as const;

/** One of the stable codes of `errorCodes`. */
export type ErrorCode = (typeof errorCodes)[number];
