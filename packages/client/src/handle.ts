// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent } from "@pawl/protocol";
import type { EventDefinition } from "./authoring.js";
import type {
  Client,
  PurgeOptions,
  RerunOptions,
  TerminateOptions,
  WaitOptions,
} from "./client.js";
import { PawlError, WorkflowFailedError, WorkflowTerminatedError } from "./errors.js";
import type { Instance, InstanceChange } from "./instance.js";
import type { InstanceList } from "./instance-list.js";
import { parsePayload } from "./payload.js";
import type { ExecutionOptions, ExecutionsQuery, ReadOptions, WatchOptions } from "./port.js";

/** One instance: the client's methods without its id, and its result. */
export interface Handle<O> {
  readonly instanceId: string;
  /**
   * Waits for the end; resolves with the output.
   * @throws WORKFLOW_FAILED, WORKFLOW_TERMINATED, DEADLINE_EXCEEDED, CANCELLED
   */
  result(options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal }): Promise<O>;
  /** Reads the instance; `undefined` when there is none. */
  get(options?: ReadOptions & ExecutionOptions): Promise<Instance | undefined>;
  /** Resolves when the instance is no longer pending. */
  waitForStart(options?: WaitOptions): Promise<Instance>;
  /** Resolves when the instance has ended, however it did. */
  waitForCompletion(options?: WaitOptions): Promise<Instance>;
  /** Delivers an event. */
  raiseEvent<T>(
    event: EventDefinition<T>,
    ...payload: undefined extends T ? [payload?: T] : [payload: T]
  ): Promise<void>;
  /** Delivers an event that is known by name only. */
  raiseEvent(event: string, payload?: unknown): Promise<void>;
  /** Holds the workflow's code until it is resumed. */
  suspend(reason?: string): Promise<void>;
  /** Lets a suspended instance go on. */
  resume(reason?: string): Promise<void>;
  /** Ends the instance. */
  terminate(options?: TerminateOptions): Promise<void>;
  /** Deletes the instance; resolves with how many were deleted. */
  purge(options?: PurgeOptions): Promise<number>;
  /** Runs it again from an event, as a new instance. */
  rerun(options: RerunOptions): Promise<Handle<O>>;
  /** The executions of its id that are kept, the newest first. */
  executions(query?: ExecutionsQuery): InstanceList;
  /** The committed history of an execution, oldest first. */
  history(options?: ExecutionOptions): Promise<HistoryEvent[]>;
  /** The instance now and after each change; ends after its end. See `Client.watch`. */
  watch(options?: WatchOptions): AsyncIterable<InstanceChange>;
}

/** A handle over a client. */
export class InstanceHandle<O> implements Handle<O> {
  readonly instanceId: string;
  readonly #client: Client;

  constructor(client: Client, instanceId: string) {
    this.#client = client;
    this.instanceId = instanceId;
  }

  async result(options?: {
    readonly timeoutMs?: number;
    readonly signal?: AbortSignal;
  }): Promise<O> {
    const { status, output, failure } = await this.#client.waitForEnd(this.instanceId, options);
    switch (status) {
      case "completed":
        // The definition's types vouch for what its workflow returned.
        return parsePayload(output) as O;
      case "failed":
        throw new WorkflowFailedError(
          this.instanceId,
          failure ?? { type: "Error", message: "no reason was given", nonRetriable: false },
        );
      case "terminated":
        throw new WorkflowTerminatedError(this.instanceId, parsePayload(output));
      default:
        throw new PawlError("INTERNAL", `instance "${this.instanceId}" ended as ${status}`);
    }
  }

  get(options?: ReadOptions & ExecutionOptions): Promise<Instance | undefined> {
    return this.#client.get(this.instanceId, options);
  }

  waitForStart(options?: WaitOptions): Promise<Instance> {
    return this.#client.waitForStart(this.instanceId, options);
  }

  waitForCompletion(options?: WaitOptions): Promise<Instance> {
    return this.#client.waitForCompletion(this.instanceId, options);
  }

  raiseEvent(target: string | { readonly name: string }, payload?: unknown): Promise<void> {
    const name = typeof target === "string" ? target : target.name;
    return this.#client.raiseEvent(this.instanceId, name, payload);
  }

  suspend(reason?: string): Promise<void> {
    return this.#client.suspend(this.instanceId, reason);
  }

  resume(reason?: string): Promise<void> {
    return this.#client.resume(this.instanceId, reason);
  }

  terminate(options?: TerminateOptions): Promise<void> {
    return this.#client.terminate(this.instanceId, options);
  }

  purge(options?: PurgeOptions): Promise<number> {
    return this.#client.purge(this.instanceId, options);
  }

  rerun(options: RerunOptions): Promise<Handle<O>> {
    return this.#client.rerun<O>(this.instanceId, options);
  }

  executions(query?: ExecutionsQuery): InstanceList {
    return this.#client.executions(this.instanceId, query);
  }

  history(options?: ExecutionOptions): Promise<HistoryEvent[]> {
    return this.#client.history(this.instanceId, options);
  }

  watch(options?: WatchOptions): AsyncIterable<InstanceChange> {
    return this.#client.watch(this.instanceId, options);
  }
}
