// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent } from "../gen/durabletask/history_events_pb.js";
import type { BatchPort } from "./batch.js";
import type { ConnectedWorker } from "./connected-worker.js";
import type { Explanation } from "./explanation.js";
import type { InstanceFilter, ListPage, ListQuery } from "./query.js";

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

/** Why a workflow or activity failed (Durable Task's TaskFailureDetails). */
export interface Failure {
  readonly type: string;
  readonly message: string;
  readonly stackTrace?: string;
  readonly cause?: Failure;
  readonly nonRetriable: boolean;
}

/** One instance as seen at one moment. Instants are milliseconds since 1970 (UTC). */
export interface Instance {
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
  /** JSON text, verbatim. Absent when there is none or payloads were not asked for. */
  readonly input?: string;
  /** JSON text, verbatim. Absent when there is none or payloads were not asked for. */
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
  /** Registered name of the workflow, 1 to 256 bytes. */
  readonly workflow: string;
  /** At most 512 bytes, no control characters. Empty or absent: a random UUID. */
  readonly instanceId?: string;
  /** JSON text; never parsed. */
  readonly input?: string;
  /** Instant in milliseconds before which the first turn does not run. */
  readonly startAt?: number;
  readonly tags?: Readonly<Record<string, string>>;
  /** Refuse the id of an ended instance, too. @default false */
  readonly enforceUniqueInstanceId?: boolean;
  /** W3C traceparent of the caller. */
  readonly traceParent?: string;
  /** W3C tracestate of the caller, at most 512 bytes; a longer one is left out. */
  readonly traceState?: string;
}

/** What `rerun` needs. */
export interface RerunCommand {
  /**
   * Where to begin: the event id of an activity's, child workflow's or timer's scheduling (a wait for
   * an event is one, too).
   */
  readonly eventId: number;
  /** Empty or absent: a random UUID. */
  readonly newInstanceId?: string;
  /** Present: that activity or child gets this input (JSON text), or none, in place of what it had. */
  readonly replaceInput?: { readonly input?: string };
  /** Id of the child that is done again. Absent: the new instance's id and the event's. */
  readonly newChildInstanceId?: string;
}

/** How to wait or read. */
export interface ReadOptions {
  /** Include input, output, custom status and failure. @default true */
  readonly payloads?: boolean;
}

/** Which execution of an instance to read. */
export interface ExecutionOptions {
  /** Of the present execution, or of an older one that is kept. @default the present one */
  readonly executionId?: string;
}

/** Which executions of an instance to list. */
export interface ExecutionsQuery extends ReadOptions {
  /** 1 to 1,000. @default 100 */
  readonly pageSize?: number;
  readonly pageToken?: string;
}

/** How to wait. An aborted signal rejects with CANCELLED. */
export interface WaitOptions extends ReadOptions {
  readonly signal?: AbortSignal;
}

/** How to watch one instance. */
export interface WatchOptions extends WaitOptions {
  /** `resumeToken` of the last change that was seen: go on after it. Absent: begin with now. */
  readonly resumeToken?: string;
  /** Send the history events that each change adds. @default false */
  readonly history?: boolean;
}

/** One durable state of a watched instance. */
export interface InstanceChange {
  readonly instance: Instance;
  /**
   * The events that history gained since the change before, oldest first; from the first event where
   * there is none before. Absent when history was not asked for.
   */
  readonly events?: readonly HistoryEvent[];
  /**
   * Another execution than that of the change before, whose end was told or which is not kept: its
   * history begins anew.
   */
  readonly restarted: boolean;
  /** Goes on after this change. */
  readonly resumeToken: string;
}

/** How to watch all instances. */
export interface WatchAllOptions extends WaitOptions {
  /** `resumeToken` of the last change that was seen: go on after it. */
  readonly resumeToken?: string;
  /** Without a token: send first what there is already. @default false */
  readonly existing?: boolean;
}

/** What happened to one of the watched instances. */
export type FeedItem =
  /** Its newest durable state. */
  | { readonly kind: "changed"; readonly instance: Instance; readonly resumeToken: string }
  /** It was purged. Of the filter only what it says of ids counts: nothing else is left of it. */
  | { readonly kind: "purged"; readonly instanceId: string; readonly resumeToken: string }
  /**
   * The token is older than the log of changes. What changed since follows all the same, perhaps
   * with states of the token's own commit once more; purges since are not told.
   */
  | { readonly kind: "resynced"; readonly resumeToken: string }
  /** All that there was has been sent; what follows is new. Sent once. */
  | { readonly kind: "caughtUp"; readonly resumeToken: string };

/**
 * What callers may ask of the engine. Every command resolves once its effect is on disk.
 * Every method rejects with `EngineError`; besides the codes named at each, any may answer
 * INVALID_ARGUMENT, STORE_UNAVAILABLE, SHUTTING_DOWN and INSTANCE_DAMAGED.
 */
export interface ManagementPort extends BatchPort {
  /**
   * Starts an instance.
   * @throws INSTANCE_EXISTS, PAYLOAD_TOO_LARGE, RESOURCE_EXHAUSTED
   */
  start(command: StartCommand): Promise<{ instanceId: string; executionId: string }>;
  /** Reads an instance; `undefined` when there is none. */
  get(instanceId: string, options?: ReadOptions & ExecutionOptions): Promise<Instance | undefined>;
  /**
   * One page of the executions of an id, the newest first: the present one, and older ones that had
   * ended when the id was used again. Empty when there is none.
   */
  executions(instanceId: string, query?: ExecutionsQuery): Promise<ListPage>;
  /** Resolves when the instance is no longer pending; an unknown id waits to be started. */
  waitForStart(instanceId: string, options?: WaitOptions): Promise<Instance>;
  /** Resolves when the instance has ended; an unknown id waits to be started. */
  waitForCompletion(instanceId: string, options?: WaitOptions): Promise<Instance>;
  /** @throws INSTANCE_NOT_FOUND, PAYLOAD_TOO_LARGE, RESOURCE_EXHAUSTED */
  raiseEvent(instanceId: string, name: string, input?: string): Promise<void>;
  /** @throws INSTANCE_NOT_FOUND, PAYLOAD_TOO_LARGE */
  suspend(instanceId: string, reason?: string): Promise<void>;
  /** @throws INSTANCE_NOT_FOUND, PAYLOAD_TOO_LARGE */
  resume(instanceId: string, reason?: string): Promise<void>;
  /**
   * Ends an instance; `output` (JSON text) becomes its output. `recursive` defaults to true.
   * @throws INSTANCE_NOT_FOUND, PAYLOAD_TOO_LARGE
   */
  terminate(
    instanceId: string,
    options?: { readonly output?: string; readonly recursive?: boolean },
  ): Promise<void>;
  /**
   * Deletes an instance; resolves with how many were deleted. `recursive` defaults to true.
   * @throws INSTANCE_NOT_FOUND, INSTANCE_NOT_ENDED
   */
  purge(
    instanceId: string,
    options?: { readonly recursive?: boolean; readonly force?: boolean },
  ): Promise<number>;
  /**
   * Starts a new instance with the history of an ended one up to an event, which is done again, and
   * goes on from there. The ended one stays as it is.
   * @throws INSTANCE_NOT_FOUND, EVENT_NOT_FOUND, INSTANCE_NOT_ENDED, INSTANCE_EXISTS,
   * PAYLOAD_TOO_LARGE, RESOURCE_EXHAUSTED
   */
  rerun(
    instanceId: string,
    command: RerunCommand,
  ): Promise<{ instanceId: string; executionId: string }>;
  /** The workers that are connected, in the order in which they came. */
  workers(): Promise<readonly ConnectedWorker[]>;
  /** Everything that an instance waits for. @throws INSTANCE_NOT_FOUND */
  explain(instanceId: string): Promise<Explanation>;
  /**
   * One page of the instances that a filter lets through, as they were at one moment.
   * @throws INVALID_ARGUMENT also for a page token of another filter or order
   */
  list(query?: ListQuery): Promise<ListPage>;
  /**
   * The committed history of an execution, oldest first.
   * @throws INSTANCE_NOT_FOUND
   */
  history(instanceId: string, options?: ExecutionOptions): Promise<HistoryEvent[]>;
  /**
   * The instance now and after each commit that changes what is seen of it; ends after its end, or
   * when it is purged. States that follow each other faster than the reader takes them may be
   * skipped, never the last; history events never are, except those of an execution that ended by
   * continue-as-new meanwhile. With a token: what changed since, and nothing twice.
   * @throws INSTANCE_NOT_FOUND
   */
  watch(instanceId: string, options?: WatchOptions): AsyncIterable<InstanceChange>;
  /**
   * Every instance of a filter whenever a commit changes it, in the order of the commits, as long as
   * the filter lets it through; does not end by itself. Several changes of one instance that the reader
   * has not taken yet are one: the newest state. With a token: what changed since, and nothing twice.
   */
  watchAll(filter?: InstanceFilter, options?: WatchAllOptions): AsyncIterable<FeedItem>;
}
