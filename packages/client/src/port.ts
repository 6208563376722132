// SPDX-License-Identifier: Apache-2.0

// The engine's two ports, by the names that this package has for their shapes: `Instance` and the like
// are its own, with payloads as values. An engine in the same process satisfies both;
// `remote/management.ts` satisfies the first over the network.

import type { ManagementPort, WorkerPort } from "@pawl/protocol/port";

export type {
  ActivityItem,
  Batch,
  BatchAction,
  BatchError,
  BatchPort,
  Comparison,
  Condition,
  ConnectedWorker,
  ExecutionOptions,
  ExecutionsQuery,
  Explanation,
  Failure,
  FeedItem as FeedRecord,
  Instance as InstanceRecord,
  InstanceChange as InstanceChangeRecord,
  InstanceFilter,
  ListQuery,
  ManagementPort,
  ReadOptions,
  StallCode,
  StartCommand,
  TurnItem,
  WaitOptions as PortWaitOptions,
  WaitReason,
  WatchAllOptions,
  WatchOptions,
  WorkerKind,
  WorkerPort,
  WorkerSession as PortSession,
} from "@pawl/protocol/port";

/** An engine in the same process. */
export type EnginePort = ManagementPort & WorkerPort;
