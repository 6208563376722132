// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent } from "@pawl/protocol";
import type { Failure } from "../../port.js";
import type { TurnOutcome } from "../replay/replay.js";

/** One turn to run, whichever way it came. */
export interface Turn {
  readonly instanceId: string;
  readonly executionId: string;
  readonly workflow: string;
  readonly token: string;
  /** The worker is taken to hold the instance as its last result left it. */
  readonly isCached: boolean;
  /** The committed history; asked for only when the instance is not held. */
  readonly past: () => readonly HistoryEvent[];
  readonly events: readonly HistoryEvent[];
}

/** One activity to run, whichever way it came. */
export interface ActivityTask {
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
  readonly name: string;
  /** JSON text. */
  readonly input?: string | undefined;
  readonly token: string;
  readonly taskExecutionId: string;
  /** W3C trace context; absent when there is none. */
  readonly traceParent?: string;
  readonly traceState?: string;
}

/** How an activity ended; output is JSON text. */
export type ActivityOutcome =
  | { readonly output: string | undefined }
  | { readonly failure: Failure };

/** What a worker says of itself. */
export interface Announcement {
  readonly name: string;
  readonly workflows: readonly string[];
  readonly activities: readonly string[];
  readonly turnLimit: number;
  readonly activityLimit: number;
}

/** Takes work items. Its methods neither throw nor block. */
export interface WorkReceiver {
  turn(turn: Turn): void;
  activity(task: ActivityTask): void;
  /** The instance need not be held any more. */
  release(instanceId: string): void;
}

/** Takes results. Its methods neither throw nor wait. */
export interface WorkChannel {
  completeTurn(turn: Turn, outcome: TurnOutcome): void;
  /** The worker does not hold the instance: send the turn again whole. */
  missTurn(turn: Turn): void;
  completeActivity(task: ActivityTask, outcome: ActivityOutcome): void;
  /** The worker no longer holds the instance. */
  evict(instanceId: string): void;
  /** Sends what is left, then ends. Unfinished items go to other workers. */
  close(): Promise<void>;
  /** Settles when the channel has ended, by whichever side: rejects when it broke. */
  readonly closed: Promise<void>;
}

/** A way to an engine. */
export interface WorkLink {
  /**
   * Announces the worker; resolves once the engine took it. Items may come before that. The signal
   * breaks the channel at once.
   */
  open(
    announcement: Announcement,
    receiver: WorkReceiver,
    signal: AbortSignal,
  ): Promise<WorkChannel>;
}
