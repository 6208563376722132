// SPDX-License-Identifier: Apache-2.0

// The engine's two ports as this package needs them. An engine in the same process satisfies them
// by shape, so that nothing here depends on it; `remote-management.ts` satisfies the first over
// the network.

import type { HistoryEvent, TaskFailureDetails, WorkflowAction } from "@pawl/protocol";

/** What an instance is doing. Terminal are completed, failed and terminated. */
export type InstanceStatus =
  | "pending"
  | "running"
  | "suspended"
  | "stalled"
  | "completed"
  | "failed"
  | "terminated";

/** Why an instance is stalled, for programs. */
export type StallCode = "PATCH_MISMATCH" | "VERSION_NOT_AVAILABLE" | "PAYLOAD_SIZE_EXCEEDED";

/** Why a workflow, a child workflow or an activity failed, in whatever language it was written. */
export interface Failure {
  /** Name of the error's class where it was raised. */
  readonly type: string;
  /** For people. */
  readonly message: string;
  /** In the form of the language that raised it. */
  readonly stackTrace?: string;
  /** The failure that caused this one. */
  readonly cause?: Failure;
  /** Retrying cannot help. */
  readonly nonRetriable: boolean;
}

/** One instance as seen at one moment, payloads as JSON text. Instants are in ms since 1970. */
export interface InstanceRecord {
  readonly instanceId: string;
  readonly workflow: string;
  readonly status: InstanceStatus;
  readonly executionId: string;
  /** Counts the executions that the id has had, from 1. */
  readonly generation: number;
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly updatedAt: number;
  readonly completedAt?: number;
  /** Earliest instant of the first turn, when the start was delayed. */
  readonly startAt?: number;
  readonly input?: string;
  readonly output?: string;
  readonly customStatus?: string;
  readonly failure?: Failure;
  readonly parentInstanceId?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly version?: string;
  /** Why it is stalled, in words. Absent unless it is. */
  readonly stallReason?: string;
  /** Why it is stalled, for programs. Absent unless it is. */
  readonly stallCode?: StallCode;
  /** Events in the history of the present execution. */
  readonly historyLength: number;
}

/** What `start` needs. */
export interface StartCommand {
  readonly workflow: string;
  readonly instanceId?: string;
  /** JSON text. */
  readonly input?: string;
  /** Instant in milliseconds before which the first turn does not run. */
  readonly startAt?: number;
  readonly tags?: Readonly<Record<string, string>>;
  readonly enforceUniqueInstanceId?: boolean;
  readonly traceParent?: string;
}

/** What `rerun` needs; with `replaceInput`, this input (JSON text), or none, in place of what it had. */
export interface RerunCommand {
  readonly eventId: number;
  readonly newInstanceId?: string;
  readonly replaceInput?: { readonly input?: string };
  readonly newChildInstanceId?: string;
}

/** How to read. */
export interface ReadOptions {
  /** Include input, output, custom status and failure. @default true */
  readonly payloads?: boolean;
}

/** Which execution of an instance to read. */
export interface ExecutionOptions {
  /** @default the present one */
  readonly executionId?: string;
}

/** Which executions of an instance to list. */
export type ExecutionsQuery = Pick<ListQuery, "pageSize" | "pageToken" | "payloads">;

/** How to wait. An aborted signal rejects with CANCELLED. */
export interface PortWaitOptions extends ReadOptions {
  readonly signal?: AbortSignal;
}

/**
 * Which instances are meant: those for which everything that is given holds. Instants are in ms since
 * 1970; `From` is inclusive, `Before` exclusive.
 */
export interface InstanceFilter {
  /** One of these; empty or absent: any. */
  readonly statuses?: readonly InstanceStatus[];
  readonly workflow?: string;
  readonly instanceIdPrefix?: string;
  readonly createdFrom?: number;
  readonly createdBefore?: number;
  readonly updatedFrom?: number;
  readonly updatedBefore?: number;
  /** The instance that started it as a child. */
  readonly parentInstanceId?: string;
  /** Tags that it has, with exactly these values. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Tags that it has, with values that begin with these. "" asks for the tag alone. */
  readonly tagPrefixes?: Readonly<Record<string, string>>;
}

/** Which instances to list, and how. */
export interface ListQuery extends InstanceFilter, ReadOptions {
  /** 1 to 1,000. @default 100 */
  readonly pageSize?: number;
  /** `nextPageToken` of the page before; only for the same filter and order. */
  readonly pageToken?: string;
  /**
   * The bytes of the id, the instant of creation, or the second of the last change; then the id.
   * @default the order that costs least: see docs/queries.md
   */
  readonly sortBy?: "id" | "created" | "updated";
  /** The other way round. @default false */
  readonly descending?: boolean;
}

/** How to watch one instance. */
export interface WatchOptions extends PortWaitOptions {
  /** `resumeToken` of the last change that was seen: go on after it. Absent: begin with now. */
  readonly resumeToken?: string;
  /** Send the history events that each change adds. @default false */
  readonly history?: boolean;
}

/** One durable state of a watched instance. */
export interface InstanceChangeRecord {
  readonly instance: InstanceRecord;
  readonly events?: readonly HistoryEvent[];
  readonly restarted: boolean;
  readonly resumeToken: string;
}

/** Which instances to watch. Absent fields take all. */
export interface WatchFilter {
  /** Send an instance only while it is in one of these. */
  readonly statuses?: readonly InstanceStatus[];
  readonly workflow?: string;
  readonly instanceIdPrefix?: string;
  /** Every one of these tags, with this value. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** How to watch all instances. */
export interface WatchAllOptions extends PortWaitOptions {
  /** `resumeToken` of the last item that was seen: go on after it. */
  readonly resumeToken?: string;
  /** Without a token: send first what there is already. @default false */
  readonly existing?: boolean;
}

/** What happened to one of the watched instances. */
export type FeedRecord =
  | { readonly kind: "changed"; readonly instance: InstanceRecord; readonly resumeToken: string }
  | { readonly kind: "purged"; readonly instanceId: string; readonly resumeToken: string }
  | { readonly kind: "resynced" | "caughtUp"; readonly resumeToken: string };

/** An activity that has no result. Instants are milliseconds since 1970 (UTC). */
export interface OpenActivity {
  readonly taskId: number;
  readonly name: string;
  /** When the workflow asked for it. */
  readonly scheduledAt: number;
  /** Which try of one call this is, from 1, as far as the worker says that calls belong together. */
  readonly attempt: number;
  /** The worker that has it. Absent: it waits for one. */
  readonly workerId?: string;
  /** Why it waits. */
  readonly waitsFor?: WaitReason;
}

/** What work waits for: a worker that offers its name, room on one, or a limit on work at once. */
export type WaitReason = "worker" | "room" | "limit";

/** A timer that has not fired. */
export interface OpenTimer {
  readonly timerId: number;
  readonly fireAt: number;
  /** The event whose wait it bounds. */
  readonly eventName?: string;
}

/** A child that has not reported its result. */
export interface OpenChild {
  readonly taskId: number;
  readonly instanceId: string;
  /** Absent: there is none of this id, for now. */
  readonly status?: InstanceStatus;
}

/** An accepted event that no turn has taken. */
export interface InboxEvent {
  /** Its kind, as history names it. */
  readonly kind: string;
  /** Of a raised event. */
  readonly name?: string;
}

/** Why an instance does not move: everything that it waits for. */
export interface Explanation {
  /** The instance; absent when it is damaged. */
  readonly instance?: InstanceRecord;
  /** One sentence for people. */
  readonly summary: string;
  /** What is damaged. */
  readonly damage?: string;
  readonly suspendedAt?: number;
  /** The worker that has its turn. */
  readonly turnWorkerId?: string;
  /** Its turn waits, and for what. */
  readonly turnWaitsFor?: WaitReason;
  /** Turns in a row that came to nothing. */
  readonly failedTurns: number;
  readonly activities: readonly OpenActivity[];
  readonly timers: readonly OpenTimer[];
  readonly children: readonly OpenChild[];
  readonly inbox: readonly InboxEvent[];
}

/** What a batch does with each instance. */
export type BatchAction = "terminate" | "suspend" | "resume" | "purge" | "rerun";

/** An instance for which the command of a batch failed. */
export interface BatchError {
  /** Empty when the batch itself could not go on. */
  readonly instanceId: string;
  /** Stable code: see docs/errors.md. */
  readonly code: string;
  readonly message: string;
}

/** A batch as seen at one moment. Instants are in ms since 1970. */
export interface Batch {
  readonly batchId: string;
  readonly action: BatchAction;
  readonly filter: InstanceFilter;
  /** It collects its instances, carries its command out on them, or has ended. */
  readonly status: "matching" | "running" | "completed" | "cancelled" | "failed";
  readonly createdAt: number;
  readonly completedAt?: number;
  /** Instances that the filter let through; final once it no longer matches. */
  readonly matchedCount: number;
  /** Those for which the command was carried out, or there was nothing left to do. */
  readonly doneCount: number;
  readonly failedCount: number;
  /** The first failures, at most ten. */
  readonly errors: readonly BatchError[];
}

/** What a batch is to do, payloads as JSON text. */
export interface BatchCommand {
  readonly action: BatchAction;
  readonly filter: InstanceFilter;
  readonly allInstances?: boolean;
  readonly batchId?: string;
  readonly reason?: string;
  readonly output?: string;
  readonly recursive?: boolean;
  readonly force?: boolean;
  readonly eventId?: number;
}

/** What a management client asks of batches, near or far. */
export interface BatchPort {
  startBatch(command: BatchCommand): Promise<Batch>;
  getBatch(batchId: string): Promise<Batch | undefined>;
  waitForBatch(batchId: string, options?: { readonly signal?: AbortSignal }): Promise<Batch>;
  listBatches(): Promise<readonly Batch[]>;
  cancelBatch(batchId: string): Promise<Batch>;
}

/** What a management client asks of the engine, near or far. */
export interface ManagementPort extends BatchPort {
  start(command: StartCommand): Promise<{ instanceId: string; executionId: string }>;
  get(
    instanceId: string,
    options?: ReadOptions & ExecutionOptions,
  ): Promise<InstanceRecord | undefined>;
  executions(instanceId: string, query?: ExecutionsQuery): ReturnType<ManagementPort["list"]>;
  waitForStart(instanceId: string, options?: PortWaitOptions): Promise<InstanceRecord>;
  waitForCompletion(instanceId: string, options?: PortWaitOptions): Promise<InstanceRecord>;
  raiseEvent(instanceId: string, name: string, input?: string): Promise<void>;
  suspend(instanceId: string, reason?: string): Promise<void>;
  resume(instanceId: string, reason?: string): Promise<void>;
  terminate(
    instanceId: string,
    options?: { readonly output?: string; readonly recursive?: boolean },
  ): Promise<void>;
  purge(
    instanceId: string,
    options?: { readonly recursive?: boolean; readonly force?: boolean },
  ): Promise<number>;
  rerun(
    instanceId: string,
    command: RerunCommand,
  ): Promise<{ instanceId: string; executionId: string }>;
  explain(instanceId: string): Promise<Explanation>;
  list(query?: ListQuery): Promise<{
    readonly instances: readonly InstanceRecord[];
    readonly nextPageToken?: string;
  }>;
  history(instanceId: string, options?: ExecutionOptions): Promise<HistoryEvent[]>;
  watch(instanceId: string, options?: WatchOptions): AsyncIterable<InstanceChangeRecord>;
  watchAll(filter?: WatchFilter, options?: WatchAllOptions): AsyncIterable<FeedRecord>;
}

/** What a worker says of itself. */
export interface WorkerRegistration {
  readonly name: string;
  readonly workflows?: readonly string[];
  readonly activities?: readonly string[];
  readonly turnLimit?: number;
  readonly activityLimit?: number;
  readonly cache?: "none" | "past" | "result";
}

/** One turn to run. */
export interface TurnItem {
  readonly kind: "turn";
  readonly instanceId: string;
  readonly executionId: string;
  readonly workflow: string;
  readonly token: string;
  readonly cachedEventCount: number;
  readonly pastEventCount: number;
  /** Encoded `pastEvents` fields of the Durable Task WorkflowRequest. */
  readonly past: readonly Uint8Array[];
  readonly events: readonly { readonly event: HistoryEvent }[];
}

/** One activity to run. */
export interface ActivityItem {
  readonly kind: "activity";
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
  readonly name: string;
  readonly input?: string;
  readonly taskExecutionId: string;
  readonly token: string;
  readonly traceParent?: string;
}

/** A connected worker, as the engine sees it. */
export interface PortSession {
  readonly workerId: string;
  evict(instanceIds: readonly string[]): void;
  returnTurn(instanceId: string, token: string): void;
  close(): void;
}

/** What a worker asks of an engine in the same process. */
export interface WorkerPort {
  connectWorker(
    registration: WorkerRegistration,
    deliver: (item: TurnItem | ActivityItem) => void,
    release?: (instanceId: string) => void,
  ): PortSession;
  completeTurn(completion: {
    readonly instanceId: string;
    readonly token: string;
    readonly actions: readonly WorkflowAction[];
    readonly customStatus?: string;
    readonly version?: { readonly patches: readonly string[] };
  }): Promise<void>;
  completeActivity(completion: {
    readonly instanceId: string;
    readonly taskId: number;
    readonly token: string;
    readonly output?: string;
    readonly failure?: TaskFailureDetails;
  }): Promise<void>;
}

/** An engine in the same process. */
export type EnginePort = ManagementPort & WorkerPort;
