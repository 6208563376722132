// SPDX-License-Identifier: Apache-2.0

// The benchmark's workflows on the in-memory backend of a Durable Task SDK.

import {
  InMemoryOrchestrationBackend,
  TestOrchestrationClient,
  TestOrchestrationWorker,
  whenAll,
} from "@microsoft/durabletask-js";

// What it logs about every event is not of interest, and would cost more than the work.
console.log = () => {};
console.info = () => {};
console.debug = () => {};

const increment = (_context, value) => value + 1;

async function* chain(context, value) {
  const first = yield context.callActivity(increment, value);
  const second = yield context.callActivity(increment, first);
  return yield context.callActivity(increment, second);
}

async function* fanOut(context, width) {
  const calls = Array.from({ length: width }, (_, index) => context.callActivity(increment, index));
  return (yield whenAll(calls)).length;
}

/**
 * Resolves at once, or every few milliseconds when the event loop has come round, for all that wait. With many
 * chains at once the backend goes from one to the next without it: no timer would ever fire.
 */
const breathMs = 5;
let breathedAt = 0;
let breath;
function breathe() {
  if (breath === undefined && performance.now() - breathedAt > breathMs) {
    breath = new Promise((resolve) => {
      setImmediate(() => {
        breathedAt = performance.now();
        breath = undefined;
        resolve();
      });
    });
  }
  return breath;
}

/** Opens the system, all of it in this process. */
export async function open() {
  const backend = new InMemoryOrchestrationBackend();
  const client = new TestOrchestrationClient(backend);
  const worker = new TestOrchestrationWorker(backend);
  worker.addOrchestrator(chain);
  worker.addOrchestrator(fanOut);
  worker.addActivity(increment);
  await worker.start();
  const run = async (workflow, input, expected) => {
    await breathe();
    const id = await client.scheduleNewOrchestration(workflow, input);
    const state = await client.waitForOrchestrationCompletion(id, true, 60);
    if (state?.serializedOutput !== JSON.stringify(expected)) {
      throw new Error(`a workflow ended with ${state?.serializedOutput}`);
    }
  };
  return {
    pids: {},
    chain: () => run(chain, 0, 3),
    fanOut: (width) => run(fanOut, width, width),
    close: async () => {
      await worker.stop();
      await client.stop();
    },
  };
}
