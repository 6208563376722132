// SPDX-License-Identifier: Apache-2.0

import type { EventRecord } from "@pawl/protocol";
import type { Beginning, Stall } from "./state.js";

/** An event for another instance. */
export interface Message {
  readonly targetId: string;
  /**
   * The execution that it is meant for; of a terminate that goes from parent to child: the parent's
   * execution, so that nobody is ended who has the child's id and another parent, or none. Absent:
   * for whoever has the id.
   */
  readonly targetExecutionId?: string;
  readonly record: EventRecord;
  /** Of the start of a child: what it may see of the histories above it (see `propagate`). */
  readonly propagated?: Uint8Array;
}

/** Deletes a child of an instance that was purged, and all below it. It travels as a message does. */
export interface PurgeOrder {
  readonly targetId: string;
  /** The execution that asked for the child: who has its id and another parent, or none, stays. */
  readonly parentExecutionId: string;
}

/** What a turn did to its instance. */
export interface TurnOutcome {
  /** Inbox events that the turn took, from the front. */
  readonly consumed: number;
  /** Events for the history, in order. */
  readonly appended: readonly EventRecord[];
  /** The custom status from now on. */
  readonly customStatus: string | undefined;
}

/** What a command does to one instance. Plain data; `applyOutcome` carries it out. */
export interface Outcome {
  /** The instance begins, begins anew, or continues as new: its history starts empty. */
  readonly beginning?: Beginning;
  /** Events for the inbox, in order. With `beginning` they go before what is there. */
  readonly accepted: readonly EventRecord[];
  readonly turn?: TurnOutcome;
  /** Why the worker cannot go on with the instance: another one may. */
  readonly stall?: Stall;
  /** A task of an ended instance whose activity has run: nobody waits for it any more. */
  readonly settledTask?: number;
  /** Events for other instances, sent after the commit. */
  readonly messages: readonly Message[];
}

/** The outcome of a command that changes nothing. */
export const nothing: Outcome = Object.freeze({ accepted: [], messages: [] });
