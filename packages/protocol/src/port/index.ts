// SPDX-License-Identifier: Apache-2.0

// The two ports of the engine: what callers and what workers may ask of it. Types alone. They stand
// here so that those who serve them (the engine) and those who use them (the client, near or over
// the network) speak of the same shapes without knowing each other.

export type {
  Batch,
  BatchAction,
  BatchCommand,
  BatchError,
  BatchPort,
  BatchStatus,
} from "./batch.js";
export type {
  Comparison,
  Condition,
  Equal,
  Ordered,
  Prefix,
  TextField,
  TimeField,
} from "./condition.js";
export type { ConnectedWorker, WorkLoad, WorkerKind } from "./connected-worker.js";
export type {
  Explanation,
  InboxEvent,
  OpenActivity,
  OpenChild,
  OpenTimer,
  WaitReason,
} from "./explanation.js";
export type {
  ExecutionOptions,
  ExecutionsQuery,
  Failure,
  FeedItem,
  Instance,
  InstanceChange,
  InstanceStatus,
  ManagementPort,
  ReadOptions,
  RerunCommand,
  StallCode,
  StartCommand,
  WaitOptions,
  WatchAllOptions,
  WatchOptions,
} from "./management.js";
export type { InstanceFilter, ListPage, ListQuery, SortField } from "./query.js";
export type {
  ActivityCompletion,
  ActivityItem,
  TurnCompletion,
  TurnItem,
  WorkItem,
  WorkerPort,
  WorkerRegistration,
  WorkerSession,
} from "./worker.js";
