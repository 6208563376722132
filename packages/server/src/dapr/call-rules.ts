// SPDX-License-Identifier: Apache-2.0

import { type Clock, EngineError, type ManagementPort, type WorkerPort } from "@pawl/engine";
import { limits } from "@pawl/protocol";
import { StrictRefusal } from "./strict-refusal.js";

/** Who waits for an answer. */
export interface WaitingCaller {
  /** Aborted when it has gone, or its deadline has passed. It costs to make: looked at by who waits only. */
  readonly signal: AbortSignal;
}

/** A call of Dapr's API, or of the sidecar service, that may have to wait. */
export interface RuledCall {
  /** The engine of its component. */
  readonly engine: Pick<ManagementPort, "get"> & Pick<WorkerPort, "workerCount">;
  readonly caller: WaitingCaller;
  /** Bytes of the payload that waits with it. @default 0 */
  readonly payloadBytes?: number;
}

/** A command on an instance. */
export interface RuledCommand extends RuledCall {
  /** An instance on which Dapr refuses it while that is stalled. @default none */
  readonly unstalled?: string;
}

/** What calls wait for before they are carried out, and what is refused before the engine sees it. */
export interface CallRules {
  /** Runs a start when there may be one. @throws CANCELLED, SHUTTING_DOWN, RESOURCE_EXHAUSTED */
  start<T>(call: RuledCall, run: () => Promise<T>): Promise<T>;
  /**
   * Runs a command when there may be one.
   * @throws StrictRefusal; CANCELLED, SHUTTING_DOWN, RESOURCE_EXHAUSTED
   */
  command<T>(call: RuledCommand, run: () => Promise<T>): Promise<T>;
  /**
   * Runs what may succeed later, again where that is Dapr's way. `passes` says of a failure whether it
   * may pass: one of which it is not sure that nothing was done must not.
   * @throws what `run` throws; CANCELLED, SHUTTING_DOWN, RESOURCE_EXHAUSTED
   */
  retry<T>(call: RuledCall, run: () => Promise<T>, passes: (error: unknown) => boolean): Promise<T>;
  /** Ends all waits with SHUTTING_DOWN; there are no more. */
  stop(): void;
}

/** Everything is done at once: a worker is not needed to store a command, nor does a retry help. */
export const plainRules: CallRules = {
  start: (_call, run) => run(),
  command: (_call, run) => run(),
  retry: (_call, run) => run(),
  stop() {},
};

/** Between two looks for a worker, and two tries of a start (dapr/dapr, pkg/resiliency/resiliency.go). */
const intervalMs = 1000;

/** Times that a start which failed is tried again: 3 seconds. */
const startRetries = 3;

/** Times that a command looks again for a worker: 5 seconds. */
const commandLooks = 5;

/** Bytes that a call which waits takes beside its payload, roughly. */
const callBytes = 4096;

/**
 * Dapr's rules, as it was seen to keep them (docs/rest.md): without a worker a start waits for one, and a
 * command fails after 5 seconds; a start that fails is tried again for 3 seconds; a stalled instance takes
 * no event and is not purged. A call that waits is stored nowhere: it ends with its caller.
 */
export class StrictRules implements CallRules {
  readonly #clock: Clock;
  /** Ends each wait. */
  readonly #waits = new Set<() => void>();
  #heldBytes = 0;
  #isStopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async start<T>(call: RuledCall, run: () => Promise<T>): Promise<T> {
    await this.#findWorker(call, Number.POSITIVE_INFINITY);
    return run();
  }

  async command<T>(call: RuledCommand, run: () => Promise<T>): Promise<T> {
    if (!(await this.#findWorker(call, commandLooks))) throw StrictRefusal.noWorker();
    const { unstalled: instanceId } = call;
    const instance =
      instanceId === undefined ? undefined : await call.engine.get(instanceId, { payloads: false });
    if (instance?.status === "stalled") throw StrictRefusal.stalled();
    return run();
  }

  async retry<T>(
    call: RuledCall,
    run: () => Promise<T>,
    passes: (error: unknown) => boolean,
  ): Promise<T> {
    for (let left = startRetries; ; left -= 1) {
      try {
        return await run();
      } catch (error) {
        if (left === 0 || !passes(error)) throw error;
      }
      await this.#hold(call, () => this.#pause(call.caller));
    }
  }

  stop(): void {
    this.#isStopped = true;
    for (const end of [...this.#waits]) end();
  }

  /** Whether there is a worker, at once or after as many more looks. */
  async #findWorker(call: RuledCall, looks: number): Promise<boolean> {
    if (call.engine.workerCount() > 0) return true;
    return this.#hold(call, async () => {
      for (let look = 0; look < looks; look += 1) {
        await this.#pause(call.caller);
        if (call.engine.workerCount() > 0) return true;
      }
      return false;
    });
  }

  /** Runs what waits, as long as there is room for one more call. */
  async #hold<T>({ payloadBytes = 0 }: RuledCall, wait: () => Promise<T>): Promise<T> {
    const bytes = callBytes + payloadBytes;
    if (this.#heldBytes + bytes > limits.heldBytes) {
      throw new EngineError(
        "RESOURCE_EXHAUSTED",
        "too many calls wait, for a worker or to be tried again",
      );
    }
    this.#heldBytes += bytes;
    try {
      return await wait();
    } finally {
      this.#heldBytes -= bytes;
    }
  }

  /** Lets one interval pass. @throws CANCELLED, SHUTTING_DOWN */
  #pause({ signal }: WaitingCaller): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        stopTimer();
        signal.removeEventListener("abort", cancel);
        this.#waits.delete(end);
      };
      const cancel = (): void => {
        leave();
        reject(new EngineError("CANCELLED", "the caller gave up waiting"));
      };
      const end = (): void => {
        leave();
        reject(new EngineError("SHUTTING_DOWN", "the server is stopping"));
      };
      const stopTimer = this.#clock.setDelay(intervalMs, () => {
        leave();
        resolve();
      });
      this.#waits.add(end);
      signal.addEventListener("abort", cancel, { once: true });
      if (this.#isStopped) end();
      else if (signal.aborted) cancel();
    });
  }
}
