// SPDX-License-Identifier: Apache-2.0

import type { InstanceFilter } from "./query.js";

/** What a batch does with each instance. */
export type BatchAction = "terminate" | "suspend" | "resume" | "purge" | "rerun";

/**
 * What a batch is doing: it collects its instances, carries its command out on them, or has ended.
 * "failed": it could not go on; its one error says why.
 */
export type BatchStatus = "matching" | "running" | "completed" | "cancelled" | "failed";

/** What a batch is to do. */
export interface BatchCommand {
  readonly action: BatchAction;
  /**
   * Which instances: those that it lets through when the batch begins. Without `statuses`, those
   * that the action is for: open ones; for a purge or rerun, ended ones; for a purge by force, all.
   */
  readonly filter: InstanceFilter;
  /** A filter without any condition is meant. @default false */
  readonly allInstances?: boolean;
  /** At most 512 bytes, no control characters. Empty or absent: a random UUID. */
  readonly batchId?: string;
  /** Of a suspend or resume: why. */
  readonly reason?: string;
  /** Of a terminate: JSON text that becomes the output. */
  readonly output?: string;
  /** Of a terminate or purge. @default true */
  readonly recursive?: boolean;
  /** Of a purge: also what has not ended. @default false */
  readonly force?: boolean;
  /**
   * Of a rerun: the event to begin with, of each instance (`RerunCommand.eventId`). The new instance
   * has the id of the old one, a colon, and the batch's id. @default 0
   */
  readonly eventId?: number;
}

/** An instance for which the command failed. */
export interface BatchError {
  /** Empty when the batch itself could not go on. */
  readonly instanceId: string;
  /** One of `errorCodes`, or a newer server's. */
  readonly code: string;
  readonly message: string;
}

/** A batch as seen at one moment. Instants are milliseconds since 1970 (UTC). */
export interface Batch {
  readonly batchId: string;
  readonly action: BatchAction;
  readonly filter: InstanceFilter;
  readonly status: BatchStatus;
  readonly createdAt: number;
  readonly completedAt?: number;
  /** Instances that the filter let through; final once it no longer matches. */
  readonly matchedCount: number;
  /** Those for which the command was carried out, or there was nothing left to do. */
  readonly doneCount: number;
  readonly failedCount: number;
  /**
   * Of a purge: instances that are gone, children included that the filter did not let through; of
   * others 0. After a crash it may lack a few; `doneCount` does not.
   */
  readonly purgedCount: number;
  /** The first failures, at most ten. */
  readonly errors: readonly BatchError[];
}

/**
 * One command for many instances, as work of the engine's own: it goes on after a restart, treats
 * each instance once, and can be looked at and cancelled. Rejects with `EngineError`, as
 * `ManagementPort` does.
 */
export interface BatchPort {
  /**
   * Starts a batch; resolves when the request is on disk. The same request under the same id is the
   * same batch. @throws BATCH_EXISTS for another request, RESOURCE_EXHAUSTED, PAYLOAD_TOO_LARGE
   */
  startBatch(command: BatchCommand): Promise<Batch>;
  /** Reads a batch; `undefined` when there is none. */
  getBatch(batchId: string): Promise<Batch | undefined>;
  /** Resolves when the batch has ended. @throws BATCH_NOT_FOUND, CANCELLED */
  waitForBatch(batchId: string, options?: { readonly signal?: AbortSignal }): Promise<Batch>;
  /** The batches at work and the newest that have ended, newest first. */
  listBatches(): Promise<Batch[]>;
  /**
   * Ends a batch where it is; what it has done stays done. No effect on one that has ended.
   * @throws BATCH_NOT_FOUND
   */
  cancelBatch(batchId: string): Promise<Batch>;
}
