// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent } from "@pawl/protocol";
import type {
  ActivityCompletion,
  Batch,
  BatchCommand,
  ConnectedWorker,
  ExecutionOptions,
  ExecutionsQuery,
  Explanation,
  FeedItem,
  Instance,
  InstanceChange,
  InstanceFilter,
  ListPage,
  ListQuery,
  ManagementPort,
  ReadOptions,
  RerunCommand,
  StartCommand,
  TurnCompletion,
  WaitOptions,
  WatchAllOptions,
  WatchOptions,
  WorkerPort,
  WorkerRegistration,
  WorkerSession,
  WorkItem,
} from "@pawl/protocol/port";
import { StoredStatus } from "@pawl/protocol/store";
import { raiseEvent } from "./core/command/raise-event.js";
import { resume } from "./core/command/resume.js";
import { start } from "./core/command/start.js";
import { suspend } from "./core/command/suspend.js";
import { terminate } from "./core/command/terminate.js";
import type { Outcome } from "./core/outcome.js";
import type { InstanceState } from "./core/state.js";
import { EngineError } from "./errors.js";
import { type EngineSettings, type ResolvedOptions, withSettings } from "./options.js";
import type { BackupPiece, BackupPort, WaitPort } from "./port/local.js";
import { Batches } from "./runtime/batch/batches.js";
import type { Snapshot } from "./runtime/mailbox.js";
import { purge } from "./runtime/purge.js";
import { readBackup } from "./runtime/read/backup.js";
import { connectedWorkerOf } from "./runtime/read/connected-workers.js";
import { readExecutions, readOlderEvents, readOlderSnapshot } from "./runtime/read/executions.js";
import { explain } from "./runtime/read/explain.js";
import { type OnDamage, readPage } from "./runtime/read/query/page.js";
import { readRun } from "./runtime/read/reader.js";
import { instanceOf } from "./runtime/read/view.js";
import { waitUntil } from "./runtime/read/wait.js";
import { present, watch } from "./runtime/read/watch.js";
import { watchAll } from "./runtime/read/watch-all.js";
import { rerunInstance } from "./runtime/rerun.js";
import type { Runtime } from "./runtime/runtime.js";
import { commandAnew } from "./runtime/subtree.js";
import { Supervisor } from "./runtime/supervisor.js";
import { traceOfStart } from "./runtime/trace/start-trace.js";
import type { OpenStore } from "./store/store.js";
import {
  requireBatchFacts,
  requireInstanceId,
  requireName,
  requirePayload,
  requireRerun,
  requireStart,
} from "./validate.js";

/** The ports of one engine, and its life. Made by `openEngine`. */
export class Engine implements ManagementPort, WorkerPort, BackupPort, WaitPort {
  #options: ResolvedOptions;
  readonly #supervisor: Supervisor;
  readonly #batches: Batches;

  /** @internal */
  constructor(options: ResolvedOptions, openStore: OpenStore) {
    this.#options = options;
    this.#supervisor = new Supervisor(options, openStore);
    this.#batches = new Batches(this.#supervisor, this, options);
  }

  /** @internal Opens the store and takes up what was unfinished. */
  open(): Promise<void> {
    return this.#supervisor.open();
  }

  async start(command: StartCommand): Promise<{ instanceId: string; executionId: string }> {
    requireStart(command, this.#options.inputBytes);
    const runtime = this.#roomyRuntime();
    const { createId } = this.#options;
    const instanceId = command.instanceId || createId();
    const executionId = createId();
    // An id that was made just now has nothing on disk to be read.
    if (!command.instanceId) runtime.mailboxes.fresh(instanceId);
    const facts = {
      instanceId,
      executionId,
      workflow: command.workflow,
      input: command.input,
      startAt: Math.ceil(command.startAt ?? 0),
      tags: command.tags ?? {},
      enforceUniqueInstanceId: command.enforceUniqueInstanceId ?? false,
    };
    const { follow, ...trace } = traceOfStart(runtime.tracing, facts, command);
    const begin = (state: InstanceState | undefined, activeChild?: string): Outcome =>
      start(state, { ...facts, ...trace, activeChild }, runtime.now());
    await follow(
      command.instanceId
        ? commandAnew(runtime, instanceId, begin)
        : runtime.command(instanceId, (state) => begin(state)),
    );
    return { instanceId, executionId };
  }

  async get(
    instanceId: string,
    options: ReadOptions & ExecutionOptions = {},
  ): Promise<Instance | undefined> {
    const runtime = this.#supervisor.require();
    const { payloads = true, executionId = "" } = options;
    let snapshot = await present(runtime, instanceId, payloads);
    if (executionId !== "" && snapshot?.row.executionId !== executionId) {
      snapshot = await readOlderSnapshot(runtime.store, instanceId, executionId, payloads);
    }
    return snapshot && instanceOf(instanceId, snapshot, payloads);
  }

  async executions(instanceId: string, query: ExecutionsQuery = {}): Promise<ListPage> {
    const runtime = this.#supervisor.require();
    const newest = await present(runtime, instanceId, query.payloads ?? true);
    return readExecutions(runtime.store, instanceId, newest, query);
  }

  waitForStart(instanceId: string, options: WaitOptions = {}): Promise<Instance> {
    return this.#wait(instanceId, options, ({ row }) => row.status !== StoredStatus.PENDING);
  }

  waitForCompletion(instanceId: string, options: WaitOptions = {}): Promise<Instance> {
    return this.#wait(instanceId, options, ({ row }) => row.completedAt !== 0);
  }

  waitUntil(
    instanceId: string,
    until: (instance: Instance) => boolean,
    options: WaitOptions = {},
  ): Promise<Instance> {
    return this.#wait(instanceId, options, () => true, until);
  }

  /** `isDue` spares the making of an instance for each of its states. */
  #wait(
    instanceId: string,
    { signal, payloads = true }: WaitOptions,
    isDue: (snapshot: Snapshot) => boolean,
    until: (instance: Instance) => boolean = () => true,
  ): Promise<Instance> {
    return waitUntil(this.#supervisor, {
      instanceId,
      signal,
      read: () => present(this.#supervisor.require(), instanceId, payloads),
      look(snapshot) {
        if (!isDue(snapshot)) return undefined;
        const instance = instanceOf(instanceId, snapshot, payloads);
        return until(instance) ? instance : undefined;
      },
    });
  }

  async raiseEvent(instanceId: string, name: string, input?: string): Promise<void> {
    requireName("event", name);
    requirePayload("event payload", input, this.#options.inputBytes);
    const now = this.#roomyRuntime().now();
    await this.#command(instanceId, (state) => raiseEvent(state, { name, input }, now));
  }

  async suspend(instanceId: string, reason?: string): Promise<void> {
    requirePayload("reason", reason);
    await this.#command(instanceId, (state, now) => suspend(state, reason || undefined, now));
  }

  async resume(instanceId: string, reason?: string): Promise<void> {
    requirePayload("reason", reason);
    await this.#command(instanceId, (state, now) => resume(state, reason || undefined, now));
  }

  async terminate(
    instanceId: string,
    options: { readonly output?: string; readonly recursive?: boolean } = {},
  ): Promise<void> {
    requirePayload("output", options.output);
    const facts = { output: options.output, recursive: options.recursive ?? true };
    await this.#command(instanceId, (state, now) => terminate(state, facts, now));
  }

  async purge(
    instanceId: string,
    options: { readonly recursive?: boolean; readonly force?: boolean } = {},
  ): Promise<number> {
    requireInstanceId(instanceId);
    const { recursive = true, force = false } = options;
    return purge(this.#supervisor.require(), instanceId, { recursive, force });
  }

  async rerun(
    instanceId: string,
    command: RerunCommand,
  ): Promise<{ instanceId: string; executionId: string }> {
    requireInstanceId(instanceId);
    requireRerun(command);
    const runtime = this.#roomyRuntime();
    const { createId, appId } = this.#options;
    const facts = {
      instanceId: command.newInstanceId || createId(),
      executionId: createId(),
      eventId: command.eventId,
      replaceInput: command.replaceInput,
      childInstanceId: command.newChildInstanceId || undefined,
      createId,
      appId,
    };
    await rerunInstance(runtime, instanceId, facts);
    return { instanceId: facts.instanceId, executionId: facts.executionId };
  }

  async list(query: ListQuery = {}): Promise<ListPage> {
    const { store, extents } = this.#supervisor.require();
    const onDamage: OnDamage = (instanceId, { message }) => {
      this.#options.logger.error({ instanceId, reason: message }, "an instance is damaged");
    };
    return readPage(store, query, onDamage, { extents });
  }

  async workers(): Promise<readonly ConnectedWorker[]> {
    return this.#supervisor.workers().map(connectedWorkerOf);
  }

  async explain(instanceId: string): Promise<Explanation> {
    requireInstanceId(instanceId);
    const explanation = await explain(this.#supervisor.require(), this, instanceId);
    if (explanation === undefined) throw notFound(instanceId);
    return explanation;
  }

  async startBatch(command: BatchCommand): Promise<Batch> {
    requireBatchFacts(command);
    return this.#batches.startBatch(command);
  }

  getBatch(batchId: string): Promise<Batch | undefined> {
    return this.#batches.getBatch(batchId);
  }

  waitForBatch(batchId: string, options?: { readonly signal?: AbortSignal }): Promise<Batch> {
    return this.#batches.waitForBatch(batchId, options);
  }

  listBatches(): Promise<Batch[]> {
    return this.#batches.listBatches();
  }

  cancelBatch(batchId: string): Promise<Batch> {
    return this.#batches.cancelBatch(batchId);
  }

  async history(
    instanceId: string,
    { executionId = "" }: ExecutionOptions = {},
  ): Promise<HistoryEvent[]> {
    const runtime = this.#supervisor.require();
    // What a worker was given may still be on its way to the disk.
    await runtime.mailboxes.peek(instanceId)?.lastCommit;
    const run = await readRun(runtime.store, instanceId);
    const events =
      executionId === "" || run?.row.executionId === executionId
        ? run?.history.map((record) => record.event)
        : await readOlderEvents(runtime.store, instanceId, executionId);
    if (events === undefined) throw notFound(instanceId);
    return events;
  }

  watch(instanceId: string, options: WatchOptions = {}): AsyncIterable<InstanceChange> {
    return watch(this.#supervisor, instanceId, options);
  }

  watchAll(filter: InstanceFilter = {}, options: WatchAllOptions = {}): AsyncIterable<FeedItem> {
    return watchAll(this.#supervisor, filter, options);
  }

  async *backup(): AsyncGenerator<BackupPiece, void> {
    yield* readBackup(this.#supervisor.require().store);
  }

  connectWorker(
    registration: WorkerRegistration,
    deliver: (item: WorkItem) => void,
    release: (instanceId: string) => void = () => {},
  ): WorkerSession {
    return this.#supervisor.connect(registration, deliver, release);
  }

  completeTurn(completion: TurnCompletion): Promise<void> {
    return promised(() => this.#supervisor.require().desk.completeTurn(completion));
  }

  completeActivity(completion: ActivityCompletion): Promise<void> {
    return promised(() =>
      this.#supervisor.requireFor(completion).desk.completeActivity(completion),
    );
  }

  workerCount(): number {
    return this.#supervisor.workerCount();
  }

  /** False while the store is being reopened after a failed write, and after `close`. */
  isReady(): boolean {
    return this.#supervisor.isReady();
  }

  /** Calls `listener` whenever `isReady` changes; returns a function that ends it. */
  onReadyChange(listener: (ready: boolean) => void): () => void {
    return this.#supervisor.onReadyChange(listener);
  }

  /**
   * Changes limits and times; they hold at once. What has ended is looked at again, in the background,
   * if retention changed.
   */
  reconfigure(settings: EngineSettings): void {
    this.#options = withSettings(this.#options, settings);
    this.#supervisor.reconfigure(this.#options);
  }

  /** Synced writes since the store was opened: for benchmarks and tests. */
  commitCount(): number {
    return this.#supervisor.require().journal.commitCount();
  }

  /** Resolves when no turn, activity, commit, delivery or batch is under way. For tests. */
  async idle(): Promise<void> {
    do {
      await this.#batches.settled();
      await this.#supervisor.idle();
    } while (!this.#batches.isIdle());
  }

  /** Instant of the next durable timer in milliseconds; undefined when there is none. For tests. */
  nextTimerAt(): Promise<number | undefined> {
    return this.#supervisor.require().timers.nextAt();
  }

  /** Stops taking work, lets commits end, closes the store. May be called twice. */
  async close(): Promise<void> {
    await this.#supervisor.close();
    await this.#batches.settled();
  }

  /** A command on an instance that must exist. */
  async #command(
    instanceId: string,
    decide: (state: InstanceState, now: number) => Outcome,
  ): Promise<void> {
    requireInstanceId(instanceId);
    const runtime = this.#supervisor.require();
    await runtime.command(instanceId, (state) => {
      if (state === undefined) throw notFound(instanceId);
      return decide(state, runtime.now());
    });
  }

  /** @throws RESOURCE_EXHAUSTED when too much waits for workers already */
  #roomyRuntime(): Runtime {
    const runtime = this.#supervisor.require();
    const { queueLimit } = this.#options;
    if (runtime.dispatch.waitingCount() < queueLimit) return runtime;
    throw new EngineError(
      "RESOURCE_EXHAUSTED",
      `${queueLimit} work items wait for workers already: add workers, or try again later`,
      { details: { limit: String(queueLimit) } },
    );
  }
}

/** What `run` promises; what it throws becomes a rejection. Without a promise of its own. */
function promised(run: () => Promise<void>): Promise<void> {
  try {
    return run();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** The error of an id that nobody has. */
export function notFound(instanceId: string): EngineError {
  return new EngineError("INSTANCE_NOT_FOUND", `no such instance exists: '${instanceId}'`, {
    details: { instanceId },
  });
}
