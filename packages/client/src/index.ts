// SPDX-License-Identifier: Apache-2.0

// Writing workflows and activities.
export { activity, event, workflow } from "./definition.js";
export type {
  ActivityContext,
  ActivityDefinition,
  ActivityOptions,
  AnyActivity,
  AnyWorkflow,
  ChildOptions,
  EventDefinition,
  InputOf,
  Logger,
  OutputOf,
  VersionOptions,
  WaitForEventOptions,
  WorkflowContext,
  WorkflowDefinition,
} from "./authoring.js";
export type { RetryPolicy } from "./worker/replay/retry.js";

// Running them.
export { createWorker, type Worker } from "./worker/index.js";
export type { WorkerOptions } from "./options.js";

// Managing instances.
export {
  Client,
  createClient,
  type PurgeOptions,
  type RerunOptions,
  type StartOptions,
  type TerminateOptions,
  type WaitOptions,
} from "./client.js";
export type { Handle } from "./handle.js";
export type { FeedItem, Instance, InstanceChange } from "./instance.js";
export type { Comparison, Condition, ConnectedWorker } from "./port.js";
export type { WatchAllOptions, WatchOptions } from "./port.js";
export type { InstanceList, InstancePage } from "./instance-list.js";
export type { BatchHandle, BatchOptions } from "./batch.js";
export type {
  Batch,
  BatchAction,
  BatchError,
  Explanation,
  InstanceFilter,
  ListQuery,
} from "./port.js";
export type { ClientOptions, TlsOptions } from "./options.js";

// Errors.
export {
  ActivityFailedError,
  ChildFailedError,
  DivergenceError,
  EventTimeoutError,
  isPawlError,
  NonRetriableError,
  PawlError,
  type PawlErrorCode,
  WorkflowFailedError,
  WorkflowTerminatedError,
} from "./errors.js";
export type { Failure } from "./port.js";

// An engine in the same process.
export type { EnginePort } from "./port.js";
