// SPDX-License-Identifier: Apache-2.0

import type { EventRecord } from "../event-record.js";
import type { TaskFailureDetails } from "../gen/durabletask/orchestration_pb.js";
import type { WorkflowAction } from "../gen/durabletask/orchestrator_actions_pb.js";
import type { WorkerKind } from "./connected-worker.js";

/** What a worker can do and how it is served. */
export interface WorkerRegistration {
  /** Shown to people. */
  readonly name: string;
  /** @default "embedded" */
  readonly kind?: WorkerKind;
  /** How it is connected, shown to people. @default it is in the engine's process */
  readonly protocol?: string;
  /** Names of its workflows; absent: it is offered every workflow. */
  readonly workflows?: readonly string[];
  /** Names of its activities; absent: it is offered every activity. */
  readonly activities?: readonly string[];
  /** Turns that it takes at once. @default 1000 */
  readonly turnLimit?: number;
  /** Activities that it runs at once. @default 1000 */
  readonly activityLimit?: number;
  /**
   * What the worker keeps of an instance between turns, and so how little it is sent:
   * "none": the whole history each time. "past": the past events as of its last turn (Durable
   * Task's stateful history). "result": the instance as its last result left it (Pawl's worker).
   * @default "none"
   */
  readonly cache?: "none" | "past" | "result";
  /**
   * It answers a turn of a workflow that is not registered with it by nothing, as if the workflow
   * waited: such an answer counts only where no other worker has more to say. @default false
   */
  readonly isSilent?: boolean;
  /** Bytes of one turn that it can take; a larger one stalls its instance. @default no limit */
  readonly turnBytes?: number;
}

/** One turn to run. */
export interface TurnItem {
  readonly kind: "turn";
  readonly instanceId: string;
  readonly executionId: string;
  readonly workflow: string;
  /** To be given back with the completion. */
  readonly token: string;
  /** Committed events that the worker is taken to hold already: a prefix of the history. */
  readonly cachedEventCount: number;
  /** Committed events in all, sent or not. */
  readonly pastEventCount: number;
  /**
   * The committed events that follow the cached ones, as encoded `pastEvents` fields (number 3) of
   * the Durable Task WorkflowRequest: ready to be put on the wire one after the other.
   */
  readonly past: readonly Uint8Array[];
  /** The events of this turn; the first is workflowStarted. */
  readonly events: readonly EventRecord[];
  /**
   * What the instance may see of the histories above it, if anything: the Durable Task message
   * PropagatedHistory, encoded.
   */
  readonly propagated?: Uint8Array;
}

/** One activity to run. */
export interface ActivityItem {
  readonly kind: "activity";
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
  readonly name: string;
  readonly version?: string;
  /** JSON text, verbatim. */
  readonly input?: string;
  /** Stays the same over the retries of one call; empty when the worker gave none. */
  readonly taskExecutionId: string;
  /** To be given back with the completion. */
  readonly token: string;
  /** W3C traceparent: of the activity's own span where there is one, else of its workflow. */
  readonly traceParent?: string;
  /** W3C tracestate. */
  readonly traceState?: string;
  /** What it may see of the histories above it, as a turn's. */
  readonly propagated?: Uint8Array;
}

/** What is handed to a worker. */
export type WorkItem = TurnItem | ActivityItem;

/** The result of a turn. */
export interface TurnCompletion {
  readonly instanceId: string;
  /** The item's token; empty: the turn in flight is meant (workers that do not echo tokens). */
  readonly token: string;
  readonly actions: readonly WorkflowAction[];
  /** Replaces the stored custom status; absent clears it. */
  readonly customStatus?: string;
  /** The version that ran. */
  readonly version?: { readonly name?: string; readonly patches: readonly string[] };
  /**
   * A name that is not registered with the worker. When it is the item's, another worker is asked, and
   * the rest of the completion counts only where there is none.
   */
  readonly unregistered?: string;
}

/** The result of an activity: `failure` present means that it failed. */
export interface ActivityCompletion {
  readonly instanceId: string;
  readonly taskId: number;
  /** The item's token; empty: the oldest unfinished one of this instance and task is meant. */
  readonly token: string;
  /** JSON text. */
  readonly output?: string;
  readonly failure?: TaskFailureDetails;
  /**
   * A name that is not registered with the worker. When it is the item's, another worker is asked, and
   * the rest of the completion counts only where there is none.
   */
  readonly unregistered?: string;
}

/** A connected worker, as the engine sees it. */
export interface WorkerSession {
  /** The engine's name for it. */
  readonly workerId: string;
  /** The worker no longer holds these instances; they get their whole history next time. */
  evict(instanceIds: readonly string[]): void;
  /**
   * The worker cannot take the turn with this token (it does not hold the instance): the turn is
   * sent again whole.
   */
  returnTurn(instanceId: string, token: string): void;
  /** Ends the session: what it has not finished goes to other workers. May be called twice. */
  close(): void;
}

/** What workers may ask of the engine. */
export interface WorkerPort {
  /**
   * Connects a worker. From now on `deliver` is called with work items, never from within this
   * call; it must not throw and must not block. `release` is told of instances that need not be
   * cached any more.
   * @throws SHUTTING_DOWN
   */
  connectWorker(
    registration: WorkerRegistration,
    deliver: (item: WorkItem) => void,
    release?: (instanceId: string) => void,
  ): WorkerSession;
  /**
   * Takes the result of a turn. A stale or unknown token changes nothing and is no error
   * (engine semantics 1.6). Resolves once the turn is on disk.
   */
  completeTurn(completion: TurnCompletion): Promise<void>;
  /**
   * Takes the result of an activity. A stale or unknown token changes nothing and is no error.
   * Resolves once the result is on disk.
   */
  completeActivity(completion: ActivityCompletion): Promise<void>;
  /** Connected workers. */
  workerCount(): number;
}
