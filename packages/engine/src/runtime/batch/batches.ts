// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import { equals } from "@bufbuild/protobuf";
import { limits } from "@pawl/protocol";
import type { Batch, BatchCommand, BatchPort } from "@pawl/protocol/port";
import { type BatchRequest, BatchRequestSchema, type BatchRow } from "@pawl/protocol/store";
import { EngineError, isEngineError, reasonOf } from "../../errors.js";
import type { ResolvedOptions } from "../../options.js";
import { del, type StoreWrite } from "../../store/store.js";
import { batchKey, batchRange } from "../../store/store-key.js";
import type { Drafted } from "../journal.js";
import type { Runtime } from "../runtime.js";
import type { Supervisor } from "../supervisor.js";
import { batchOf, isEnded, requestOf } from "./batch-codec.js";
import { type BatchCommands, BatchJob, isOutage } from "./batch-job.js";
import { requireBatch } from "./batch-request.js";
import { decodeBatch, newRow } from "./batch-row.js";

/** A batch at work. */
interface Running {
  readonly job: BatchJob;
  /** Resolves when the work has ended, or was cut short. */
  readonly ended: Promise<void>;
}

/**
 * All batches: starts them, tells of them, and takes up those that were cut short whenever the store
 * is open.
 */
export class Batches implements BatchPort {
  readonly #supervisor: Supervisor;
  readonly #commands: BatchCommands;
  readonly #options: ResolvedOptions;
  readonly #running = new Map<string, Running>();
  /** Ids of batches that are about to be written for the first time. */
  readonly #starting = new Map<string, Promise<void>>();
  #recovery: Promise<void> = Promise.resolve();

  constructor(supervisor: Supervisor, commands: BatchCommands, options: ResolvedOptions) {
    this.#supervisor = supervisor;
    this.#commands = commands;
    this.#options = options;
    supervisor.onReadyChange((ready) => {
      // One that opens while the engine is being closed is not used any more.
      if (ready && supervisor.isReady()) this.#recovery = this.#recover(supervisor.require());
    });
  }

  async startBatch(command: BatchCommand): Promise<Batch> {
    const request = requestOf(command, requireBatch(command));
    const batchId = command.batchId || this.#options.createId();
    await this.#recovery;
    const runtime = this.#supervisor.require();
    let known: BatchRow | undefined;
    do {
      await this.#starting.get(batchId);
      known = await this.#find(runtime, batchId);
    } while (this.#starting.has(batchId));
    if (known === undefined) return this.#start(runtime, batchId, request);
    if (known.request !== undefined && equals(BatchRequestSchema, known.request, request)) {
      return batchOf(batchId, known);
    }
    throw new EngineError("BATCH_EXISTS", `the id '${batchId}' belongs to another batch`, {
      details: { batchId },
    });
  }

  async #start(runtime: Runtime, batchId: string, request: BatchRequest): Promise<Batch> {
    this.#requireRoom();
    const job = new BatchJob(batchId, newRow(request, runtime.now()), runtime, this.#commands);
    const begun = job.begin();
    const settled = begun.catch(() => {});
    this.#starting.set(batchId, settled);
    try {
      await begun;
      const batch = batchOf(batchId, job.row);
      this.#run(job, runtime);
      return batch;
    } finally {
      this.#starting.delete(batchId);
    }
  }

  async getBatch(batchId: string): Promise<Batch | undefined> {
    const row = await this.#find(this.#supervisor.require(), batchId);
    return row && batchOf(batchId, row);
  }

  async waitForBatch(
    batchId: string,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<Batch> {
    for (;;) {
      await this.#recovery;
      const running = this.#running.get(batchId);
      if (running !== undefined) {
        await abortable(running.ended, signal);
      } else if (this.#supervisor.isReady()) {
        const batch = await this.getBatch(batchId);
        if (batch === undefined) throw notFound(batchId);
        if (batch.completedAt !== undefined) return batch;
        // The store failed just now: the work has ended and is not yet taken up again.
        await abortable(nextTick(), signal);
      } else {
        await abortable(this.#nextOpening(), signal);
      }
    }
  }

  async listBatches(): Promise<Batch[]> {
    const rows = await readRows(this.#supervisor.require());
    return rows
      .map(([batchId, row]) => batchOf(batchId, this.#running.get(batchId)?.job.row ?? row))
      .sort((a, b) => b.createdAt - a.createdAt);
  }

  async cancelBatch(batchId: string): Promise<Batch> {
    await this.#recovery;
    const running = this.#running.get(batchId);
    running?.job.cancel();
    await running?.ended;
    const batch = await this.getBatch(batchId);
    if (batch === undefined) throw notFound(batchId);
    if (batch.completedAt !== undefined) return batch;
    throw new EngineError("STORE_UNAVAILABLE", "the batch could not be ended: try again shortly");
  }

  /** True when no batch is at work. */
  isIdle(): boolean {
    return this.#running.size === 0;
  }

  /** Resolves when no batch is at work. */
  async settled(): Promise<void> {
    await this.#recovery;
    while (this.#running.size > 0) {
      await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    }
  }

  async #find(runtime: Runtime, batchId: string): Promise<BatchRow | undefined> {
    const running = this.#running.get(batchId);
    if (running !== undefined) return running.job.row;
    const bytes = await runtime.store.get(batchKey(batchId));
    return bytes === undefined ? undefined : decodeBatch(bytes);
  }

  #requireRoom(): void {
    if (this.#running.size + this.#starting.size < limits.batches) return;
    throw new EngineError(
      "RESOURCE_EXHAUSTED",
      `${limits.batches} batches are at work already: wait for one of them, or cancel it`,
      { details: { limit: String(limits.batches) } },
    );
  }

  #run(job: BatchJob, runtime: Runtime): void {
    const { batchId } = job;
    const ended = job
      .run()
      .then(() => trim(runtime))
      .catch((error: unknown) => {
        this.#report(runtime, error, { batchId });
      })
      .finally(() => {
        if (this.#running.get(batchId)?.job === job) this.#running.delete(batchId);
      });
    this.#running.set(batchId, { job, ended });
  }

  /** Takes up what was cut short. */
  async #recover(runtime: Runtime): Promise<void> {
    try {
      // Those of a runtime that was given up are about to end.
      await Promise.all([...this.#running.values()].map(({ ended }) => ended));
      for (const [batchId, row] of await readRows(runtime)) {
        const job = new BatchJob(batchId, row, runtime, this.#commands);
        if (isEnded(row)) await job.clear();
        else this.#run(job, runtime);
      }
    } catch (error) {
      this.#report(runtime, error, {});
    }
  }

  /** Logs what nobody waits for. When the store is what failed, it is opened again. */
  #report(runtime: Runtime, error: unknown, facts: { readonly batchId?: string }): void {
    if (isOutage(error)) {
      if (this.#supervisor.isReady()) runtime.storeFailed(error);
      return;
    }
    const reason = reasonOf(error);
    this.#options.logger.error({ ...facts, reason }, "a batch cannot go on");
  }

  /** Resolves when the store is open the next time. @throws SHUTTING_DOWN */
  #nextOpening(): Promise<void> {
    return new Promise((resolve, reject) => {
      const stopListening = this.#supervisor.onReadyChange((ready) => {
        if (!ready) return;
        stop();
        resolve();
      });
      const stopClosing = this.#supervisor.onClose(() => {
        stop();
        reject(new EngineError("SHUTTING_DOWN", "the engine is stopping"));
      });
      const stop = (): void => {
        stopListening();
        stopClosing();
      };
    });
  }
}

/** All batches with their ids; those whose row is damaged are left out. */
async function readRows(runtime: Runtime): Promise<[string, BatchRow][]> {
  const entries = await runtime.store.range(batchRange());
  return entries.flatMap(([key, value]): [string, BatchRow][] => {
    const batchId = Buffer.from(key).toString("utf8", 3, key.length - 1);
    try {
      return [[batchId, decodeBatch(value)]];
    } catch (error) {
      if (!isEngineError(error)) throw error;
      runtime.options.logger.error({ batchId, reason: error.message }, "a batch is damaged");
      return [];
    }
  });
}

/** Deletes the oldest of the batches that have ended, if there are too many. */
async function trim(runtime: Runtime): Promise<void> {
  const ended = (await readRows(runtime)).filter(([, row]) => isEnded(row));
  const spare = ended
    .sort(([, a], [, b]) => Number(b.completedAt - a.completedAt))
    .slice(limits.endedBatches);
  if (spare.length === 0) return;
  const draft = (writes: StoreWrite[]): Drafted => {
    for (const [batchId] of spare) writes.push(del(batchKey(batchId)));
    return {};
  };
  await runtime.journal.commit({ draft }, true);
}

async function abortable(wait: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return wait;
  if (signal.aborted) throw cancelled();
  let abort: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(cancelled());
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    await Promise.race([wait, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function notFound(batchId: string): EngineError {
  return new EngineError("BATCH_NOT_FOUND", `no batch has the id '${batchId}'`, {
    details: { batchId },
  });
}

function cancelled(): EngineError {
  return new EngineError("CANCELLED", "the caller gave up waiting");
}
