// SPDX-License-Identifier: Apache-2.0

// Opening an engine.
export { openEngine } from "./open-engine.js";
export type { Engine } from "./engine.js";
export type {
  ConcurrencyLimits,
  EngineOptions,
  EngineSettings,
  HistoryLimit,
  Logger,
  RetentionOptions,
  RetentionPolicy,
} from "./options.js";
export { type Clock, systemClock } from "./runtime/clock.js";

// Looking after a data folder.
export type { VerifyReport } from "./runtime/read/verify.js";
export { formatVersion as dataFormatVersion } from "./store/side-file.js";
export { type VerifyOptions, verifyFolder } from "./verify-folder.js";
export { type RestoreOptions, restoreFolder, writeBackup } from "./backup-folder.js";
export { makeDataFolder } from "./store/level-copy.js";
export type { BackupPiece, BackupPort, WaitPort } from "./port/local.js";

// Errors.
export { EngineError, isEngineError } from "./errors.js";

// The management port.
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
} from "@pawl/protocol/port";

// Tracing.
export type { Span, SpanAttribute, SpanEvent, TracingOptions } from "./port/tracing.js";
// Connected workers.
export type { ConnectedWorker, WorkerKind, WorkLoad } from "@pawl/protocol/port";

// Why an instance does not move.
export type {
  Explanation,
  InboxEvent,
  OpenActivity,
  OpenChild,
  OpenTimer,
  WaitReason,
} from "@pawl/protocol/port";

// Batches.
export type {
  Batch,
  BatchAction,
  BatchCommand,
  BatchError,
  BatchPort,
  BatchStatus,
} from "@pawl/protocol/port";

// Queries.
export type {
  Comparison,
  Condition,
  Equal,
  Ordered,
  Prefix,
  TextField,
  TimeField,
} from "@pawl/protocol/port";
export type { InstanceFilter, ListPage, ListQuery, SortField } from "@pawl/protocol/port";

// The worker port.
export type {
  ActivityCompletion,
  ActivityItem,
  TurnCompletion,
  TurnItem,
  WorkerPort,
  WorkerRegistration,
  WorkerSession,
  WorkItem,
} from "@pawl/protocol/port";
