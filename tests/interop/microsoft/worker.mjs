// SPDX-License-Identifier: Apache-2.0

import {
  NoOpLogger,
  RetryPolicy,
  TaskFailedError,
  TaskHubGrpcWorker,
  whenAll,
} from "@microsoft/durabletask-js";

/** @type {Record<string, import("@microsoft/durabletask-js").TActivity<any, any>>} */
const activities = {
  javascript_add_one: (_ctx, /** @type {number} */ number) => number + 1,

  javascript_fail: (_ctx, /** @type {string} */ text) => {
    throw new Error(text);
  },
};

/** @type {Record<string, import("@microsoft/durabletask-js").TOrchestrator>} */
const orchestrators = {
  async *javascript_chain(ctx, /** @type {number} */ number) {
    ctx.setCustomStatus("adding");
    let sum = number;
    for (let step = 0; step < 3; step++) {
      sum = yield ctx.callActivity("javascript_add_one", sum);
    }
    return sum;
  },

  async *javascript_fan_out(ctx, /** @type {number} */ count) {
    const numbers = Array.from({ length: count }, (_, number) => number);
    const tasks = numbers.map((number) => ctx.callActivity("javascript_add_one", number));
    /** @type {number[]} */
    const results = yield whenAll(tasks);
    return results.reduce((sum, result) => sum + result, 0);
  },

  async *javascript_wait(ctx) {
    return yield ctx.waitForExternalEvent("answer");
  },

  async *javascript_nap(ctx, /** @type {number} */ seconds) {
    yield ctx.createTimer(seconds);
    return "woke";
  },

  async *javascript_parent(ctx, /** @type {number} */ number) {
    return yield ctx.callSubOrchestrator("javascript_chain", number, { tags: { of: "a child" } });
  },

  async *javascript_countdown(ctx, /** @type {number} */ left) {
    yield ctx.callActivity("javascript_add_one", left);
    if (left === 1) {
      return "done";
    }
    ctx.continueAsNew(left - 1, false);
  },

  async *javascript_failing(ctx, /** @type {string} */ text) {
    yield ctx.callActivity("javascript_fail", text);
  },

  async *javascript_retried(ctx, /** @type {string} */ text) {
    const retry = new RetryPolicy({
      maxNumberOfAttempts: 3,
      firstRetryIntervalInMilliseconds: 50,
    });
    try {
      return yield ctx.callActivity("javascript_fail", text, { retry });
    } catch (error) {
      if (!(error instanceof TaskFailedError)) {
        throw error;
      }
      return `in vain: ${error.details.message}`;
    }
  },

  async *javascript_calls(ctx, /** @type {string} */ name) {
    return yield ctx.callActivity(name, 41);
  },
};

/**
 * A worker of Microsoft's JavaScript SDK, with what the suite's Python worker has, too.
 *
 * @param {number} port
 */
export function createWorker(port) {
  const worker = new TaskHubGrpcWorker({
    hostAddress: `127.0.0.1:${port}`,
    logger: new NoOpLogger(),
  });
  for (const [name, activity] of Object.entries(activities)) {
    worker.addNamedActivity(name, activity);
  }
  for (const [name, orchestrator] of Object.entries(orchestrators)) {
    worker.addNamedOrchestrator(name, orchestrator);
  }
  return worker;
}
