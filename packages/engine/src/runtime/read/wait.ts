// SPDX-License-Identifier: Apache-2.0

import type { Instance } from "@pawl/protocol/port";
import { EngineError } from "../../errors.js";
import type { Snapshot } from "../mailbox.js";
import type { Supervisor } from "../supervisor.js";

/** What is waited for. */
export interface Wanted {
  readonly instanceId: string;
  readonly signal: AbortSignal | undefined;
  /** What is on disk now. */
  read(): Snapshot | undefined | Promise<Snapshot | undefined>;
  /** The instance, when this durable state is the one; it is told of every one that follows. */
  look(snapshot: Snapshot): Instance | undefined;
}

/**
 * Resolves when a durable state of the instance is the one that is wanted. An id that does not exist
 * is waited for, too (engine semantics 2.4).
 * @throws CANCELLED, SHUTTING_DOWN, INSTANCE_DAMAGED, and what `read` and `look` throw
 */
export function waitUntil(supervisor: Supervisor, wanted: Wanted): Promise<Instance> {
  const { instanceId, signal } = wanted;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      stop();
      reject(error);
    };
    const see = (snapshot: Snapshot | undefined): void => {
      if (snapshot === undefined) return;
      try {
        const instance = wanted.look(snapshot);
        if (instance === undefined) return;
        stop();
        resolve(instance);
      } catch (error) {
        // The caller's own fault, and no affair of those who commit.
        fail(error);
      }
    };
    const cancel = (): void => fail(cancelled());
    const stopListening = supervisor.waiters.add(instanceId, (snapshot, error) =>
      error === undefined ? see(snapshot) : fail(error),
    );
    const stopClosing = supervisor.onClose(() => fail(shuttingDown()));
    const stop = (): void => {
      stopListening();
      stopClosing();
      signal?.removeEventListener("abort", cancel);
    };
    signal?.addEventListener("abort", cancel, { once: true });
    if (signal?.aborted) return cancel();
    try {
      const present = wanted.read();
      if (present instanceof Promise) present.then(see, fail);
      else see(present);
    } catch (error) {
      fail(error);
    }
  });
}

/** The error of a wait that the caller ended. */
export function cancelled(): EngineError {
  return new EngineError("CANCELLED", "the caller gave up waiting");
}

/** The error of a wait that the end of the engine ended. */
export function shuttingDown(): EngineError {
  return new EngineError("SHUTTING_DOWN", "the engine is stopping");
}
