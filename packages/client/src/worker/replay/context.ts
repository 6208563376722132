// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { SendEventActionSchema } from "@pawl/protocol";
import type {
  ActivityDefinition,
  ActivityOptions,
  CallArguments,
  ChildOptions,
  EventDefinition,
  Logger,
  WaitForEventOptions,
  WorkflowContext,
  WorkflowDefinition,
} from "../../authoring.js";
import { stringifyPayload, stringifyStatus } from "../../payload.js";
import { callActivity, callChild } from "./call.js";
import { createSeededRandom, type SeededRandom } from "./random.js";
import { sleepUntil, type WaitHost, waitForEvent } from "./wait.js";

/** What the context needs of the replay that it is part of. */
export interface ContextHost extends WaitHost {
  readonly executionId: string;
  /** What random values follow from. */
  readonly seed: string;
  readonly workflow: string;
  readonly version: string | undefined;
  readonly isReplaying: boolean;
  readonly log: Logger;
  /**
   * Called first by every method. False when the code has ended: what it still asks for is void.
   * @param name of what it is about, if that has one
   * @throws DivergenceError outside a turn
   */
  enter(what: string, name?: string): boolean;
  isPatched(patch: string): boolean;
  setCustomStatus(text: string | undefined): void;
  continueAsNew(input: string | undefined, keepEvents: boolean): void;
}

const ignore = (): void => {};

/** The context that a workflow's code is given. */
export class ReplayContext implements WorkflowContext {
  readonly instanceId: string;
  readonly executionId: string;
  readonly workflow: string;
  readonly version?: string;
  readonly #host: ContextHost;
  #log: Logger | undefined;
  #random: SeededRandom | undefined;

  constructor(host: ContextHost) {
    this.#host = host;
    this.instanceId = host.instanceId;
    this.executionId = host.executionId;
    this.workflow = host.workflow;
    if (host.version !== undefined) this.version = host.version;
  }

  get log(): Logger {
    this.#log ??= createReplayLogger(this.#host);
    return this.#log;
  }

  get isReplaying(): boolean {
    return this.#host.isReplaying;
  }

  now(): number {
    return this.#host.now();
  }

  random(): number {
    this.#host.enter("called random()");
    return this.#seeded().random();
  }

  uuid(): string {
    this.#host.enter("called uuid()");
    return this.#seeded().uuid();
  }

  activity<I, O>(
    definition: ActivityDefinition<I, O>,
    ...call: CallArguments<I, ActivityOptions>
  ): Promise<O>;
  activity(name: string, input?: unknown, options?: ActivityOptions): Promise<unknown>;
  activity(
    target: string | { readonly name: string },
    input?: unknown,
    options?: ActivityOptions,
  ): Promise<unknown> {
    const name = nameOf(target);
    if (!this.#host.enter("called activity", name)) return never();
    return callActivity(this.#host, name, input, options);
  }

  child<I, O>(
    definition: WorkflowDefinition<I, O>,
    ...call: CallArguments<I, ChildOptions>
  ): Promise<O>;
  child(name: string, input?: unknown, options?: ChildOptions): Promise<unknown>;
  child(
    target: string | { readonly name: string },
    input?: unknown,
    options?: ChildOptions,
  ): Promise<unknown> {
    const name = nameOf(target);
    if (!this.#host.enter("called child workflow", name)) return never();
    return callChild(this.#host, name, input, options);
  }

  sleep(waitMs: number, name = ""): Promise<void> {
    return this.sleepUntil(this.now() + waitMs, name);
  }

  sleepUntil(at: number, name = ""): Promise<void> {
    return this.#host.enter("slept") ? sleepUntil(this.#host, at, name) : never();
  }

  waitForEvent<T>(event: EventDefinition<T>, options?: WaitForEventOptions): Promise<T>;
  waitForEvent(event: string, options?: WaitForEventOptions): Promise<unknown>;
  waitForEvent(
    target: string | { readonly name: string },
    options: WaitForEventOptions = {},
  ): Promise<unknown> {
    const name = nameOf(target);
    if (!this.#host.enter("waited for event", name)) return never();
    return waitForEvent(this.#host, name, options.timeoutMs);
  }

  sendEvent(
    instanceId: string,
    target: string | { readonly name: string },
    payload?: unknown,
  ): void {
    const name = nameOf(target);
    if (!this.#host.enter("sent event", name)) return;
    const data = stringifyPayload(payload);
    this.#host.ask({
      step: { kind: "sentEvent", name, instanceId },
      action: () => ({
        case: "sendEvent",
        value: create(SendEventActionSchema, {
          instance: { instanceId },
          name,
          ...(data === undefined ? {} : { data }),
        }),
      }),
    });
  }

  isPatched(patch: string): boolean {
    return this.#host.enter("asked for patch", patch) && this.#host.isPatched(patch);
  }

  setCustomStatus(status: unknown): void {
    if (this.#host.enter("set its custom status")) {
      this.#host.setCustomStatus(stringifyStatus(status));
    }
  }

  continueAsNew(input?: unknown, options: { readonly keepEvents?: boolean } = {}): Promise<never> {
    if (this.#host.enter("continued as new")) {
      this.#host.continueAsNew(stringifyPayload(input), options.keepEvents ?? true);
    }
    return never();
  }

  #seeded(): SeededRandom {
    this.#random ??= createSeededRandom(this.#host.seed);
    return this.#random;
  }
}

/** A call after the end never settles: nothing that it could lead to would be kept. */
function never(): Promise<never> {
  return new Promise<never>(ignore);
}

function nameOf(target: string | { readonly name: string }): string {
  return typeof target === "string" ? target : target.name;
}

function createReplayLogger(host: ContextHost): Logger {
  const bound = { instanceId: host.instanceId, workflow: host.workflow };
  const write = (level: keyof Logger): Logger[keyof Logger] => {
    return (facts, message) => {
      if (!host.isReplaying) host.log[level]({ ...bound, ...facts }, message);
    };
  };
  return { info: write("info"), warn: write("warn"), error: write("error") };
}
