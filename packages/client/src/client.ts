// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent } from "@pawl/protocol";
import { withDeadline } from "./async/deadline.js";
import type { CallArguments, EventDefinition, WorkflowDefinition } from "./authoring.js";
import { BatchHandle, type BatchOptions } from "./batch.js";
import { type Connection, createConnection } from "./connection.js";
import { type Handle, InstanceHandle } from "./handle.js";
import {
  type FeedItem,
  type Instance,
  type InstanceChange,
  toFeedItem,
  toInstance,
  toInstanceChange,
} from "./instance.js";
import { InstanceList } from "./instance-list.js";
import type { ClientOptions } from "./options.js";
import { stringifyPayload } from "./payload.js";
import type {
  Batch,
  BatchAction,
  ConnectedWorker,
  ExecutionOptions,
  ExecutionsQuery,
  Explanation,
  InstanceFilter,
  InstanceRecord,
  ListQuery,
  ManagementPort,
  PortWaitOptions,
  ReadOptions,
  WatchAllOptions,
  WatchOptions,
} from "./port.js";
import { asked, toPawlError } from "./remote/rpc-error.js";

/** How an instance is started. */
export interface StartOptions {
  /** At most 512 bytes, no control characters. @default a random UUID */
  readonly instanceId?: string;
  /** Instant (milliseconds since 1970) before which the first turn does not run. @default now */
  readonly startAt?: number;
  /** Kept with the instance. @default none */
  readonly tags?: Readonly<Record<string, string>>;
  /** Refuse the id of an ended instance too. @default false */
  readonly enforceUniqueInstanceId?: boolean;
  /** W3C traceparent of the caller. */
  readonly traceParent?: string;
  /** W3C tracestate of the caller. */
  readonly traceState?: string;
}

/** How to wait. */
export interface WaitOptions extends ReadOptions {
  /** Milliseconds after which DEADLINE_EXCEEDED is thrown. @default for ever */
  readonly timeoutMs?: number;
  /** Gives up with CANCELLED when it is aborted. */
  readonly signal?: AbortSignal;
}

/** How an instance is terminated. */
export interface TerminateOptions {
  /** Becomes the instance's output. */
  readonly output?: unknown;
  /** End its child workflows too. @default true */
  readonly recursive?: boolean;
}

/** How an instance is purged. */
export interface PurgeOptions {
  /** Delete its child workflows too. @default true */
  readonly recursive?: boolean;
  /** Delete also what has not ended. @default false */
  readonly force?: boolean;
}

/** How an instance is run again from an event. */
export interface RerunOptions {
  /** Event id of an activity's, child workflow's or timer's scheduling in the history. */
  readonly eventId: number;
  /** Id of the new instance. @default a random UUID */
  readonly newInstanceId?: string;
  /**
   * What that activity or child gets in place of the input that it had; `undefined`: no input.
   * @default the input that it had, when the field is absent
   */
  readonly input?: unknown;
  /** Id of the child that is done again. @default made of the new instance's id */
  readonly newChildInstanceId?: string;
}

/**
 * Manages instances. Commands resolve when their effect is on disk. Every method rejects with
 * `PawlError`; besides the codes named at each, any may give INVALID_ARGUMENT, INSTANCE_DAMAGED, UNREACHABLE,
 * UNAUTHENTICATED, PERMISSION_DENIED, COMPONENT_NOT_FOUND, STORE_UNAVAILABLE and SHUTTING_DOWN.
 */
export class Client {
  /** @internal what workers share */
  readonly connection: Connection;
  readonly #port: ManagementPort;

  constructor(options: ClientOptions = {}) {
    this.connection = createConnection(options);
    this.#port = this.connection.management;
  }

  /**
   * Starts an instance.
   * @throws INSTANCE_EXISTS, PAYLOAD_TOO_LARGE, RESOURCE_EXHAUSTED
   */
  start<I, O>(
    definition: WorkflowDefinition<I, O>,
    ...call: CallArguments<I, StartOptions>
  ): Promise<Handle<O>>;
  /** Starts an instance of a workflow that is known by name only. */
  start(workflow: string, input?: unknown, options?: StartOptions): Promise<Handle<unknown>>;
  async start(
    target: string | { readonly name: string },
    input?: unknown,
    options?: StartOptions,
  ): Promise<Handle<unknown>> {
    const workflow = typeof target === "string" ? target : target.name;
    const text = stringifyPayload(input);
    const command =
      text === undefined ? { workflow, ...options } : { workflow, input: text, ...options };
    try {
      const { instanceId } = await this.#port.start(command);
      return this.handle(instanceId);
    } catch (error) {
      throw toPawlError(error);
    }
  }

  /** A handle of an instance, which need not exist. A definition gives its result a type. */
  handle<O = unknown>(instanceId: string, _definition?: WorkflowDefinition<never, O>): Handle<O> {
    return new InstanceHandle<O>(this, instanceId);
  }

  /** Reads an instance; `undefined` when there is none. */
  async get(
    instanceId: string,
    options?: ReadOptions & ExecutionOptions,
  ): Promise<Instance | undefined> {
    const record = await asked(this.#port.get(instanceId, options));
    return record && toInstance(record);
  }

  /** Resolves when the instance is no longer pending; an unknown id waits to be started. */
  async waitForStart(instanceId: string, options?: WaitOptions): Promise<Instance> {
    return toInstance(
      await wait(options, (limited) => this.#port.waitForStart(instanceId, limited)),
    );
  }

  /** Resolves when the instance has ended; an unknown id waits to be started. */
  async waitForCompletion(instanceId: string, options?: WaitOptions): Promise<Instance> {
    return toInstance(await this.waitForEnd(instanceId, options));
  }

  /** @internal what a handle makes its result of: payloads that nobody asks for are not read */
  waitForEnd(instanceId: string, options?: WaitOptions): Promise<InstanceRecord> {
    return wait(options, (limited) => this.#port.waitForCompletion(instanceId, limited));
  }

  /**
   * Delivers an event, in the order of the calls, once, whether it is awaited yet or not.
   * @throws INSTANCE_NOT_FOUND, PAYLOAD_TOO_LARGE, RESOURCE_EXHAUSTED
   */
  raiseEvent<T>(
    instanceId: string,
    event: EventDefinition<T>,
    ...payload: undefined extends T ? [payload?: T] : [payload: T]
  ): Promise<void>;
  /** Delivers an event that is known by name only. */
  raiseEvent(instanceId: string, event: string, payload?: unknown): Promise<void>;
  async raiseEvent(
    instanceId: string,
    target: string | { readonly name: string },
    payload?: unknown,
  ): Promise<void> {
    const name = typeof target === "string" ? target : target.name;
    await asked(this.#port.raiseEvent(instanceId, name, stringifyPayload(payload)));
  }

  /** Holds the workflow's code until it is resumed. @throws INSTANCE_NOT_FOUND, PAYLOAD_TOO_LARGE */
  async suspend(instanceId: string, reason?: string): Promise<void> {
    await asked(this.#port.suspend(instanceId, reason));
  }

  /** Lets a suspended instance go on. @throws INSTANCE_NOT_FOUND, PAYLOAD_TOO_LARGE */
  async resume(instanceId: string, reason?: string): Promise<void> {
    await asked(this.#port.resume(instanceId, reason));
  }

  /** Ends an instance. @throws INSTANCE_NOT_FOUND, PAYLOAD_TOO_LARGE */
  async terminate(instanceId: string, options: TerminateOptions = {}): Promise<void> {
    const { output, ...rest } = options;
    const text = stringifyPayload(output);
    const payload = text === undefined ? {} : { output: text };
    await asked(this.#port.terminate(instanceId, { ...payload, ...rest }));
  }

  /**
   * Deletes an instance; resolves with how many were deleted.
   * @throws INSTANCE_NOT_FOUND, INSTANCE_NOT_ENDED
   */
  async purge(instanceId: string, options?: PurgeOptions): Promise<number> {
    return asked(this.#port.purge(instanceId, options));
  }

  /**
   * Starts a new instance with the history of an ended one up to an event, which is done again, and
   * goes on from there. The ended one stays as it is.
   * @throws INSTANCE_NOT_FOUND, EVENT_NOT_FOUND, INSTANCE_NOT_ENDED, INSTANCE_EXISTS,
   * PAYLOAD_TOO_LARGE, RESOURCE_EXHAUSTED
   */
  async rerun<O = unknown>(instanceId: string, options: RerunOptions): Promise<Handle<O>> {
    const { input, ...command } = options;
    const text = stringifyPayload(input);
    const replaceInput = text === undefined ? {} : { input: text };
    const replaced = "input" in options ? { replaceInput } : {};
    const started = await asked(this.#port.rerun(instanceId, { ...command, ...replaced }));
    return this.handle<O>(started.instanceId);
  }

  /** Lists instances: `for await` over it, or over its `pages()`. Nothing is read before. */
  list(query: ListQuery = {}): InstanceList {
    return new InstanceList((next) => asked(this.#port.list(next)), query);
  }

  /** The workers that are connected, in the order in which they came. */
  async workers(): Promise<readonly ConnectedWorker[]> {
    return asked(this.#port.workers());
  }

  /** Why an instance does not move: all that it waits for. @throws INSTANCE_NOT_FOUND */
  async explain(instanceId: string): Promise<Explanation> {
    return asked(this.#port.explain(instanceId));
  }

  /**
   * Has the server carry a command out on all instances that a filter lets through. Resolves when
   * the request is on disk; the handle tells how far it is.
   * @throws BATCH_EXISTS, RESOURCE_EXHAUSTED, PAYLOAD_TOO_LARGE
   */
  async startBatch(action: BatchAction, options: BatchOptions): Promise<BatchHandle> {
    const { output, ...rest } = options;
    const text = stringifyPayload(output);
    const payload = text === undefined ? {} : { output: text };
    const { batchId } = await asked(this.#port.startBatch({ action, ...payload, ...rest }));
    return this.batch(batchId);
  }

  /** A handle of a batch, which need not exist. */
  batch(batchId: string): BatchHandle {
    return new BatchHandle(this.#port, batchId);
  }

  /** The batches at work and the newest that have ended, newest first. */
  async batches(): Promise<readonly Batch[]> {
    return asked(this.#port.listBatches());
  }

  /**
   * The executions of an id, the newest first: the present one, and those that had ended when the id
   * was used again and are kept. Nothing is read before it is iterated.
   */
  executions(instanceId: string, query: ExecutionsQuery = {}): InstanceList {
    return new InstanceList((next) => asked(this.#port.executions(instanceId, next)), query);
  }

  /** The committed history of an execution, oldest first. @throws INSTANCE_NOT_FOUND */
  async history(instanceId: string, options?: ExecutionOptions): Promise<HistoryEvent[]> {
    return asked(this.#port.history(instanceId, options));
  }

  /**
   * The instance now and after each change; ends after its end, or when it is purged. A slow reader
   * may miss states in between, never the last, and no history event of the present execution. A
   * broken connection is taken up again where it broke. @throws INSTANCE_NOT_FOUND
   */
  async *watch(instanceId: string, options?: WatchOptions): AsyncGenerator<InstanceChange, void> {
    try {
      for await (const change of this.#port.watch(instanceId, options)) {
        yield toInstanceChange(change);
      }
    } catch (error) {
      throw toPawlError(error);
    }
  }

  /**
   * Every instance of a filter whenever it changes, in the order of the changes, as long as the filter
   * lets it through; ends only by `signal`. Several changes of one instance that the reader has not taken
   * yet are one: the newest state. A broken connection is taken up again where it broke.
   */
  async *watchAll(
    filter?: InstanceFilter,
    options?: WatchAllOptions,
  ): AsyncGenerator<FeedItem, void> {
    try {
      for await (const item of this.#port.watchAll(filter, options)) yield toFeedItem(item);
    } catch (error) {
      throw toPawlError(error);
    }
  }

  /** Closes the connection, unless it was given from outside. */
  close(): void {
    this.connection.close();
  }
}

function wait(
  options: WaitOptions = {},
  call: (options: PortWaitOptions) => Promise<InstanceRecord>,
): Promise<InstanceRecord> {
  const { timeoutMs, signal, ...rest } = options;
  return withDeadline(timeoutMs, signal, (limited) => {
    return asked(call(limited === undefined ? rest : { ...rest, signal: limited }));
  });
}

/** Makes a client. Nothing is opened before the first call. */
export function createClient(options?: ClientOptions): Client {
  return new Client(options);
}
