// SPDX-License-Identifier: Apache-2.0

import { EngineError, type Instance } from "@pawl/engine";
import type { ServedEngine } from "../src/index.js";

/** An engine of which a test gives just the methods that it needs; all others fail. */
export function fakeEngine(methods: Partial<ServedEngine> = {}): ServedEngine {
  const unexpected = async (): Promise<never> => {
    throw new EngineError("INTERNAL", "the test did not expect this call");
  };
  return {
    start: unexpected,
    get: unexpected,
    waitForStart: unexpected,
    waitForCompletion: unexpected,
    waitUntil: unexpected,
    raiseEvent: unexpected,
    suspend: unexpected,
    resume: unexpected,
    terminate: unexpected,
    purge: unexpected,
    rerun: unexpected,
    executions: unexpected,
    list: unexpected,
    explain: unexpected,
    workers: unexpected,
    startBatch: unexpected,
    getBatch: unexpected,
    waitForBatch: unexpected,
    listBatches: unexpected,
    cancelBatch: unexpected,
    history: unexpected,
    watch: () => ({ [Symbol.asyncIterator]: () => ({ next: unexpected }) }),
    watchAll: () => ({ [Symbol.asyncIterator]: () => ({ next: unexpected }) }),
    connectWorker: () => {
      throw new EngineError("INTERNAL", "the test did not expect this call");
    },
    backup: () => ({ [Symbol.asyncIterator]: () => ({ next: unexpected }) }),
    completeTurn: unexpected,
    completeActivity: unexpected,
    workerCount: () => 0,
    isReady: () => true,
    onReadyChange: () => () => {},
    close: async () => {},
    ...methods,
  };
}

/** A running instance, with what a test wants otherwise. */
export function fakeInstance(fields: Partial<Instance> = {}): Instance {
  return {
    instanceId: "a",
    workflow: "order",
    status: "running",
    executionId: "e-1",
    generation: 1,
    createdAt: 1_700_000_000_000,
    updatedAt: 1_700_000_000_120,
    tags: {},
    historyLength: 2,
    ...fields,
  };
}
