// SPDX-License-Identifier: Apache-2.0

import type { Instance, InstanceStatus } from "./management.js";

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
  /** What that worker calls itself; absent when it has no name. */
  readonly workerName?: string;
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
  readonly instance?: Instance;
  /** One sentence for people. */
  readonly summary: string;
  /** What is damaged. */
  readonly damage?: string;
  readonly suspendedAt?: number;
  /** The worker that has its turn. */
  readonly turnWorkerId?: string;
  /** What that worker calls itself; absent when it has no name. */
  readonly turnWorkerName?: string;
  /** Its turn waits, and for what. */
  readonly turnWaitsFor?: WaitReason;
  /** Turns in a row that came to nothing. */
  readonly failedTurns: number;
  readonly activities: readonly OpenActivity[];
  readonly timers: readonly OpenTimer[];
  readonly children: readonly OpenChild[];
  readonly inbox: readonly InboxEvent[];
}
