// SPDX-License-Identifier: Apache-2.0

import type { EnginePort } from "@pawl/client";
import type { TimeSkipper } from "./time-skipper.js";

/** An engine's ports, where waiting skips time and commands are known to the skipper. */
export function createSkippingPort(engine: EnginePort, skipper: TimeSkipper): EnginePort {
  const command = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } finally {
      skipper.commanded();
    }
  };
  return {
    start: (start) => command(engine.start(start)),
    get: (instanceId, options) => engine.get(instanceId, options),
    waitForStart: (instanceId, options) =>
      skipper.during(() => engine.waitForStart(instanceId, options)),
    waitForCompletion: (instanceId, options) =>
      skipper.during(() => engine.waitForCompletion(instanceId, options)),
    raiseEvent: (instanceId, name, input) => command(engine.raiseEvent(instanceId, name, input)),
    suspend: (instanceId, reason) => command(engine.suspend(instanceId, reason)),
    resume: (instanceId, reason) => command(engine.resume(instanceId, reason)),
    terminate: (instanceId, options) => command(engine.terminate(instanceId, options)),
    purge: (instanceId, options) => command(engine.purge(instanceId, options)),
    rerun: (instanceId, rerun) => command(engine.rerun(instanceId, rerun)),
    list: (query) => engine.list(query),
    explain: (instanceId) => engine.explain(instanceId),
    workers: () => engine.workers(),
    startBatch: (batch) => command(engine.startBatch(batch)),
    getBatch: (batchId) => engine.getBatch(batchId),
    waitForBatch: (batchId, options) => skipper.during(() => engine.waitForBatch(batchId, options)),
    listBatches: () => engine.listBatches(),
    cancelBatch: (batchId) => command(engine.cancelBatch(batchId)),
    executions: (instanceId, query) => engine.executions(instanceId, query),
    history: (instanceId, options) => engine.history(instanceId, options),
    watch: (instanceId, options) => skipping(skipper, engine.watch(instanceId, options)),
    // It has no end of its own that time could be skipped for.
    watchAll: (filter, options) => engine.watchAll(filter, options),
    connectWorker: (registration, deliver, release) =>
      engine.connectWorker(registration, deliver, release),
    completeTurn: (completion) => engine.completeTurn(completion),
    completeActivity: (completion) => engine.completeActivity(completion),
    workerCount: () => engine.workerCount(),
  };
}

/** A stream that skips time while its reader waits for the next item. */
async function* skipping<T>(
  skipper: TimeSkipper,
  items: AsyncIterable<T>,
): AsyncGenerator<T, void> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await skipper.during(() => iterator.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}
