// SPDX-License-Identifier: Apache-2.0

import { isEngineError } from "@pawl/engine";
import type { ComponentChoice, Components } from "../component/components.js";
import type { DaprOperation, DaprSubject } from "../error-map.js";
import type { ServedEngine } from "../options.js";
import type { CallerTrace } from "../tracing/caller-trace.js";
import { type CallRules, plainRules, type WaitingCaller } from "./call-rules.js";
import {
  checkAppId,
  checkEventName,
  checkInstanceId,
  checkNewInstanceId,
  checkWorkflowName,
} from "./check.js";
import { DaprError } from "./error.js";
import { type DaprInstance, toDaprInstance } from "./instance.js";
import { parseStartTime } from "./start-time.js";

/** What every call has. */
interface DaprCall extends ComponentChoice {
  readonly appId?: string;
  readonly caller: WaitingCaller;
}

/** What a start needs in Dapr's API. */
export interface DaprStart extends DaprCall {
  /** Empty: a random UUID. */
  readonly instanceId: string;
  readonly name: string;
  /** Taken as UTF-8 text, never parsed. */
  readonly input?: Uint8Array;
  /** The time, as RFC 3339 has it, before which the first turn does not run. */
  readonly startTime?: string | undefined;
  /** The trace that the caller is in. */
  readonly trace: CallerTrace;
}

/** What an event needs in Dapr's API. */
export interface DaprEvent extends DaprCall {
  readonly instanceId: string;
  readonly name: string;
  /** Taken as UTF-8 text, never parsed. */
  readonly data?: Uint8Array;
}

/** Which instance an operation is for. */
export interface DaprTarget extends DaprCall {
  readonly instanceId: string;
}

/** The operations on an instance that take nothing but its id. */
export type DaprControl = "terminate" | "pause" | "resume" | "purge";

/**
 * Dapr's workflow API over the management port: its checks in its order, its errors. Both the REST
 * paths and the `Dapr` service are thin layers over it. Every method rejects with `DaprError`.
 */
export class DaprWorkflows {
  readonly #components: Components;
  readonly #strict: boolean;
  readonly #rules: CallRules;

  /**
   * @param strict take an unknown component for the built-in one, as Dapr does since 1.15; show no more of
   * an instance than it does; and answer 500 only where something fails
   * @param rules what calls wait for
   */
  constructor(components: Components, strict = false, rules = plainRules) {
    this.#components = components;
    this.#strict = strict;
    this.#rules = rules;
  }

  /** Starts an instance; resolves with its id once it is on disk. */
  async start(start: DaprStart): Promise<string> {
    const { instanceId, name, startTime } = start;
    checkNewInstanceId(instanceId);
    checkWorkflowName(name);
    checkAppId(start.appId);
    const startAt = startTime === undefined ? undefined : parseStartTime(startTime, name);
    const engine = this.#engineOf(start);
    const call = { engine, caller: start.caller, payloadBytes: start.input?.length ?? 0 };
    const run = async (): Promise<{ instanceId: string }> => {
      const input = decodeText(start.input, "start", { subject: name });
      return this.#rules.start(call, () =>
        engine.start({
          workflow: name,
          ...(instanceId === "" ? {} : { instanceId }),
          ...(input === undefined ? {} : { input }),
          ...(startAt === undefined ? {} : { startAt }),
          ...start.trace,
        }),
      );
    };
    try {
      return (await this.#rules.retry(call, run, mayPass)).instanceId;
    } catch (error) {
      throw this.#failure(error, "start", { subject: name }, instanceId);
    }
  }

  /** Reads an instance; `undefined` when there is none. */
  async get(target: DaprTarget): Promise<DaprInstance | undefined> {
    const { instanceId } = target;
    checkInstanceId(instanceId);
    checkAppId(target.appId);
    const engine = this.#engineOf(target);
    try {
      const instance = await engine.get(instanceId);
      return instance === undefined ? undefined : toDaprInstance(instance, this.#strict);
    } catch (error) {
      throw this.#failure(error, "get", { subject: instanceId }, instanceId);
    }
  }

  /** Raises an event; resolves once it is on disk. */
  async raiseEvent(event: DaprEvent): Promise<void> {
    const { instanceId, name } = event;
    checkInstanceId(instanceId);
    checkEventName(name);
    checkAppId(event.appId);
    const engine = this.#engineOf(event);
    const subject = { subject: instanceId, event: name };
    const data = decodeText(event.data, "raiseEvent", subject);
    const payloadBytes = event.data?.length ?? 0;
    const call = { engine, caller: event.caller, payloadBytes, unstalled: instanceId };
    try {
      await this.#rules.command(call, () => engine.raiseEvent(instanceId, name, data));
    } catch (error) {
      throw this.#failure(error, "raiseEvent", subject, instanceId);
    }
  }

  /** Runs a control operation; terminate and purge are recursive, as in Dapr. */
  async control(operation: DaprControl, target: DaprTarget): Promise<void> {
    const { instanceId } = target;
    checkInstanceId(instanceId);
    checkAppId(target.appId);
    const engine = this.#engineOf(target);
    const call = { engine, caller: target.caller };
    const unstalled = operation === "purge" ? { unstalled: instanceId } : {};
    try {
      await this.#rules.command({ ...call, ...unstalled }, () =>
        run(engine, operation, instanceId),
      );
    } catch (error) {
      throw this.#failure(error, operation, { subject: instanceId }, instanceId);
    }
  }

  #failure(error: unknown, operation: DaprOperation, subject: DaprSubject, id: string): DaprError {
    return DaprError.from(error, operation, subject, id, this.#strict);
  }

  #engineOf(choice: ComponentChoice): ServedEngine {
    try {
      return this.#components.choose(choice, this.#strict).engine;
    } catch (error) {
      throw DaprError.unknownComponent(error);
    }
  }
}

/** Whether a start that failed so may succeed later, and has done nothing. */
function mayPass(error: unknown): boolean {
  // Bytes that are no text never do; Dapr tries them again all the same.
  return error instanceof DaprError || (isEngineError(error) && error.code === "INSTANCE_EXISTS");
}

async function run(
  engine: ServedEngine,
  operation: DaprControl,
  instanceId: string,
): Promise<void> {
  switch (operation) {
    case "terminate":
      return engine.terminate(instanceId);
    case "pause":
      return engine.suspend(instanceId);
    case "resume":
      return engine.resume(instanceId);
    case "purge":
      await engine.purge(instanceId);
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Dapr stores payloads as text and fails the operation when they are none. */
function decodeText(
  bytes: Uint8Array | undefined,
  operation: DaprOperation,
  subject: DaprSubject,
): string | undefined {
  if (bytes === undefined) {
    return undefined;
  }
  try {
    return utf8.decode(bytes);
  } catch {
    throw DaprError.failed(operation, subject, "the payload is not valid UTF-8 text");
  }
}
