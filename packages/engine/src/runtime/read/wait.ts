// SPDX-License-Identifier: Apache-2.0

import type { Instance, ManagementPort, WaitOptions } from "@pawl/protocol/port";
import { EngineError } from "../../errors.js";
import type { Snapshot } from "../mailbox.js";
import type { Supervisor } from "../supervisor.js";
import { instanceOf } from "./view.js";

type Reader = Pick<ManagementPort, "get">;

/**
 * Resolves when a durable state of the instance satisfies `until`. An id that does not exist is
 * waited for, too (engine semantics 2.4).
 * @throws CANCELLED, SHUTTING_DOWN
 */
export async function waitUntil(
  reader: Reader,
  supervisor: Supervisor,
  instanceId: string,
  until: (instance: Instance) => boolean,
  options: WaitOptions,
): Promise<Instance> {
  const { signal } = options;
  const payloads = options.payloads ?? true;
  let resolve: (instance: Instance) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const settled = new Promise<Instance>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // The wait may end before anybody looks at this.
  settled.catch(() => {});
  const look = (snapshot: Snapshot | undefined): void => {
    if (snapshot === undefined) return;
    try {
      const instance = instanceOf(instanceId, snapshot, payloads);
      if (until(instance)) resolve(instance);
    } catch (error) {
      // The caller's own fault, and no affair of those who commit.
      reject(error);
    }
  };
  const cancel = (): void => reject(cancelled());
  const stopListening = supervisor.waiters.add(instanceId, look);
  const stopClosing = supervisor.onClose(() => reject(shuttingDown()));
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    if (signal?.aborted) throw cancelled();
    const now = await reader.get(instanceId, { payloads });
    if (now !== undefined && until(now)) return now;
    return await settled;
  } finally {
    stopListening();
    stopClosing();
    signal?.removeEventListener("abort", cancel);
  }
}

/** The error of a wait that the caller ended. */
export function cancelled(): EngineError {
  return new EngineError("CANCELLED", "the caller gave up waiting");
}

/** The error of a wait that the end of the engine ended. */
export function shuttingDown(): EngineError {
  return new EngineError("SHUTTING_DOWN", "the engine is stopping");
}
