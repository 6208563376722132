// SPDX-License-Identifier: Apache-2.0

import { clone, create } from "@bufbuild/protobuf";
import { limits } from "@pawl/protocol";
import type { BatchError, ListQuery, ManagementPort } from "@pawl/protocol/port";
import {
  BatchFailureSchema,
  type BatchItem,
  type BatchRow,
  BatchRowSchema,
  StoredBatchStatus,
} from "@pawl/protocol/store";
import { isEngineError, isUnavailable, reasonOf } from "../../errors.js";
import { scan } from "../../store/scan.js";
import { del, put, type StoreWrite } from "../../store/store.js";
import { batchItemKey, batchItemRange, batchKey } from "../../store/store-key.js";
import type { Drafted } from "../journal.js";
import { find, isLasting } from "../read/query/page.js";
import { orderOf } from "../read/query/plan.js";
import type { Runtime } from "../runtime.js";
import { actionOf, filterOf } from "./batch-codec.js";
import { decodeItem, encodeBatch, encodeItem } from "./batch-row.js";

/** The commands that a batch carries out. */
export type BatchCommands = Pick<
  ManagementPort,
  "get" | "terminate" | "suspend" | "resume" | "purge" | "rerun"
>;

/** Instances that are matched, and written down, at a time. */
const matchedAtOnce = 1000;
/** Instances that are treated side by side, before the progress is written down. */
const treatedAtOnce = 64;

/**
 * The work of one batch over one runtime: first it writes down which instances are meant, as items;
 * then it carries its command out, item by item, and deletes those that are done. A batch that was
 * cut short is taken up where its row says: matching begins anew, and items that may have been done
 * are done again, which no command minds.
 */
export class BatchJob {
  readonly batchId: string;
  readonly #runtime: Runtime;
  readonly #commands: BatchCommands;
  #row: BatchRow;
  #isCancelled = false;

  constructor(batchId: string, row: BatchRow, runtime: Runtime, commands: BatchCommands) {
    this.batchId = batchId;
    this.#row = row;
    this.#runtime = runtime;
    this.#commands = commands;
  }

  /** The batch as the disk has it. */
  get row(): BatchRow {
    return this.#row;
  }

  /** Ends the batch at the next step. */
  cancel(): void {
    this.#isCancelled = true;
  }

  /** Writes the batch down for the first time. */
  async begin(): Promise<void> {
    await this.#save({});
  }

  /** Works until the batch has ended. @throws STORE_UNAVAILABLE, SHUTTING_DOWN */
  async run(): Promise<void> {
    try {
      if (this.#row.status === StoredBatchStatus.MATCHING) await this.#match();
      while (!this.#isCancelled && (await this.#treatSome()));
      const { COMPLETED, CANCELLED } = StoredBatchStatus;
      await this.#end(this.#isCancelled ? CANCELLED : COMPLETED, []);
    } catch (error) {
      if (isOutage(error)) throw error;
      const failure = errorOf("", error);
      const { logger } = this.#runtime.options;
      logger.error({ batchId: this.batchId, reason: failure.message }, "a batch cannot go on");
      await this.#end(StoredBatchStatus.FAILED, [failure]);
    }
    await this.clear();
  }

  /** Deletes what items there are. */
  async clear(): Promise<void> {
    for await (const entries of scan(this.#runtime.store, batchItemRange(this.batchId))) {
      await this.#write(entries.map(([key]) => del(key)));
    }
  }

  /** Writes the instances down that the filter lets through at this moment. */
  async #match(): Promise<void> {
    await this.clear();
    const filter = filterOf(this.#row);
    const order = orderOf(filter);
    // Of the moment, every order has the same instances.
    const query: ListQuery = order === "tag" ? filter : { ...filter, sortBy: order };
    const moment = this.#runtime.store.snapshot();
    let matchedCount = 0;
    try {
      for (let after: Buffer | undefined; !this.#isCancelled; ) {
        const options = { pageSize: matchedAtOnce, after, onDamage: () => {} };
        const { found, next } = await find(moment, query, options);
        const writes = found.map(({ instanceId, row }, at): StoreWrite => {
          const executionId = isLasting(row) ? row.executionId : "";
          const key = batchItemKey(this.batchId, matchedCount + at);
          return put(key, encodeItem(instanceId, executionId));
        });
        matchedCount += found.length;
        await this.#save({ matchedCount }, writes);
        if (next === undefined) break;
        after = next;
      }
    } finally {
      await moment.close();
    }
    if (!this.#isCancelled) await this.#save({ status: StoredBatchStatus.RUNNING });
  }

  /** Treats the next items; false when there are none. */
  async #treatSome(): Promise<boolean> {
    const range = { ...batchItemRange(this.batchId), limit: treatedAtOnce };
    const entries = await this.#runtime.store.range(range);
    if (entries.length === 0) return false;
    const items = entries.map(([, value]) => decodeItem(value));
    const results = await Promise.allSettled(items.map((item) => this.#treat(item)));
    const errors: BatchError[] = [];
    let { doneCount, purgedCount } = this.#row;
    for (const result of results) {
      if (result.status === "rejected") throw result.reason;
      if (typeof result.value === "object") {
        errors.push(result.value);
      } else {
        doneCount += 1;
        purgedCount += result.value;
      }
    }
    const deletions = entries.map(([key]) => del(key));
    await this.#save({ doneCount, purgedCount, ...this.#withErrors(errors) }, deletions);
    return true;
  }

  /**
   * Carries the command out on one instance: how many it has purged, or why it failed.
   * @throws STORE_UNAVAILABLE, SHUTTING_DOWN
   */
  async #treat(item: BatchItem): Promise<BatchError | number> {
    const { instanceId, executionId } = item;
    try {
      if (executionId !== "") {
        const instance = await this.#commands.get(instanceId, { payloads: false });
        // Another execution has the id by now, and is not meant.
        if (instance?.executionId !== executionId) return 0;
      }
      return await this.#act(instanceId);
    } catch (error) {
      if (isOutage(error)) throw error;
      // Gone meanwhile: with its parent, or by a command of somebody else.
      if (isEngineError(error) && error.code === "INSTANCE_NOT_FOUND") return 0;
      return errorOf(instanceId, error);
    }
  }

  /** Resolves with how many instances were purged. */
  async #act(instanceId: string): Promise<number> {
    const { reason, output, recursive = true, force = false } = this.#row.request ?? {};
    const payload = output === undefined ? {} : { output };
    switch (actionOf(this.#row)) {
      case "terminate":
        await this.#commands.terminate(instanceId, { recursive, ...payload });
        return 0;
      case "suspend":
        await this.#commands.suspend(instanceId, reason);
        return 0;
      case "resume":
        await this.#commands.resume(instanceId, reason);
        return 0;
      case "purge":
        return this.#commands.purge(instanceId, { recursive, force });
      case "rerun":
        await this.#rerun(instanceId);
        return 0;
    }
  }

  /** The new id follows from the batch's, so that a second go finds the first one's instance. */
  async #rerun(instanceId: string): Promise<void> {
    const newInstanceId = `${instanceId}:${this.batchId}`;
    const { eventId = 0 } = this.#row.request ?? {};
    if ((await this.#commands.get(newInstanceId, { payloads: false })) !== undefined) return;
    await this.#commands.rerun(instanceId, { eventId, newInstanceId });
  }

  #end(status: StoredBatchStatus, errors: readonly BatchError[]): Promise<void> {
    const failures = this.#withErrors(errors).failures;
    return this.#save({ status, failures, completedAt: BigInt(this.#runtime.now()) });
  }

  #withErrors(errors: readonly BatchError[]): Pick<BatchRow, "failedCount" | "failures"> {
    const failures = [
      ...this.#row.failures,
      ...errors.map((error) => create(BatchFailureSchema, error)),
    ];
    return {
      failedCount: this.#row.failedCount + errors.length,
      failures: failures.slice(0, limits.batchFailures),
    };
  }

  /** Writes the changed row, and what goes with it. */
  async #save(change: Partial<BatchRow>, writes: readonly StoreWrite[] = []): Promise<void> {
    const row = Object.assign(clone(BatchRowSchema, this.#row), change);
    const written = put(batchKey(this.batchId), encodeBatch(row));
    await this.#write([written, ...writes]);
    this.#row = row;
  }

  #write(changes: readonly StoreWrite[]): Promise<void> {
    const draft = (writes: StoreWrite[]): Drafted => {
      writes.push(...changes);
      return {};
    };
    return this.#runtime.journal.commit({ draft }, true);
  }
}

/** True for errors that say nothing of an instance: the work goes on when the store is back. */
export function isOutage(error: unknown): boolean {
  return isUnavailable(error) || (isEngineError(error) && error.code === "SHUTTING_DOWN");
}

function errorOf(instanceId: string, error: unknown): BatchError {
  const code = isEngineError(error) ? error.code : "INTERNAL";
  const message = reasonOf(error);
  return { instanceId, code, message };
}
