// SPDX-License-Identifier: Apache-2.0

/**
 * The workflows and activities of the suite, and the process that runs them.
 *
 * `node worker.mjs --port N --state-dir DIR` prints `worker ready` and works until SIGTERM. Every
 * activity records its call in DIR before it does anything else, so that calls are counted across
 * processes. The SDK drops an input that is false, so no activity is called with 0.
 */

import { parseArgs } from "node:util";
import { WorkflowRuntime } from "@dapr/dapr";
import { CallLog } from "./call-log.mjs";
import { Gate } from "./gate.mjs";
import { registerRelay } from "./relay.mjs";

/** @typedef {import("@dapr/dapr").WorkflowContext} WorkflowContext */
/** @typedef {import("@dapr/dapr").WorkflowActivityContext} ActivityContext */

const { values: options } = parseArgs({
  options: { port: { type: "string" }, "state-dir": { type: "string" } },
});
if (options.port === undefined || options["state-dir"] === undefined) {
  throw new Error("usage: node worker.mjs --port N --state-dir DIR");
}
const calls = new CallLog(options["state-dir"]);
const gate = new Gate(options["state-dir"]);

// Activities

/** @type {Record<string, (ctx: ActivityContext, input: any) => unknown>} */
const activities = {
  addOne(ctx, /** @type {number} */ number) {
    calls.append("addOne", ctx.getWorkflowInstanceId(), number);
    return number + 1;
  },

  double(ctx, /** @type {number} */ number) {
    calls.append("double", ctx.getWorkflowInstanceId(), number);
    return number * 2;
  },

  square(ctx, /** @type {number} */ number) {
    calls.append("square", ctx.getWorkflowInstanceId(), number);
    return number * number;
  },

  fileDecision(ctx, /** @type {string} */ decision) {
    calls.append("fileDecision", ctx.getWorkflowInstanceId(), decision);
    return `filed ${decision}`;
  },

  failTwice(ctx, /** @type {string} */ text) {
    calls.append("failTwice", ctx.getWorkflowInstanceId(), text);
    const attempt = calls.of(ctx.getWorkflowInstanceId(), "failTwice").length;
    if (attempt <= 2) {
      throw new Error(`attempt ${attempt} fails`);
    }
    return `${text} at attempt ${attempt}`;
  },

  failAlways(ctx, /** @type {string} */ text) {
    calls.append("failAlways", ctx.getWorkflowInstanceId(), text);
    throw new Error(text);
  },

  async passGate(ctx, /** @type {number} */ number) {
    calls.append("passGate", ctx.getWorkflowInstanceId(), number);
    await gate.wait();
    return number * 10;
  },
};

// Workflows

class NoLuckError extends Error {}

/** @type {Record<string, (ctx: WorkflowContext, input: any) => AsyncGenerator<any, any, any>>} */
const workflows = {
  async *chain(ctx, /** @type {number} */ number) {
    ctx.setCustomStatus("adding");
    const first = yield ctx.callActivity("addOne", number);
    const second = yield ctx.callActivity("double", first);
    ctx.setCustomStatus("squaring");
    const third = yield ctx.callActivity("square", second);
    return [first, second, third];
  },

  async *fanOut(ctx, /** @type {number} */ count) {
    const tasks = [];
    for (let number = 1; number <= count; number++) {
      tasks.push(ctx.callActivity("square", number));
    }
    /** @type {number[]} */
    const squares = yield ctx.whenAll(tasks);
    return squares.reduce((sum, square) => sum + square, 0);
  },

  async *approval(ctx, /** @type {number} */ timeoutSeconds) {
    const decision = ctx.waitForExternalEvent("decision");
    const expiry = ctx.createTimer(timeoutSeconds);
    const winner = yield ctx.whenAny([decision, expiry]);
    if (winner === expiry) {
      return "expired";
    }
    return yield ctx.callActivity("fileDecision", decision.getResult());
  },

  async *nap(ctx, /** @type {number} */ seconds) {
    const start = ctx.getCurrentUtcDateTime();
    yield ctx.createTimer(seconds);
    return (ctx.getCurrentUtcDateTime().getTime() - start.getTime()) / 1000;
  },

  async *parent(ctx, /** @type {number[]} */ [first, ...rest]) {
    const childId = `${ctx.getWorkflowInstanceId()}-child`;
    const named = yield ctx.callChildWorkflow("chain", first, childId);
    const others = yield ctx.whenAll(rest.map((number) => ctx.callChildWorkflow("chain", number)));
    return [named, ...others];
  },

  async *parentOfBroken(ctx) {
    try {
      return yield ctx.callChildWorkflow("broken", "child has no luck");
    } catch (error) {
      const { errorType, message } = /** @type {any} */ (error).details;
      return `caught ${errorType}: ${message}`;
    }
  },

  async *parentOfWaiting(ctx) {
    const childId = `${ctx.getWorkflowInstanceId()}-child`;
    yield ctx.callChildWorkflow("approval", 60, childId);
  },

  async *retriedByTimer(ctx, /** @type {string} */ text) {
    for (let attempt = 1; ; attempt++) {
      try {
        return yield ctx.callActivity("failTwice", text);
      } catch (error) {
        if (attempt === 3) {
          throw error;
        }
        yield ctx.createTimer(0.5 * attempt);
      }
    }
  },

  async *countdown(ctx, /** @type {{ left: number, seen: number[] }} */ { left, seen }) {
    const value = yield ctx.callActivity("addOne", left);
    if (left === 1) {
      return [...seen, value];
    }
    return ctx.continueAsNew({ left: left - 1, seen: [...seen, value] }, false);
  },

  async *collect(ctx, /** @type {string[]} */ items) {
    const collected = [...items, yield ctx.waitForExternalEvent("item")];
    if (collected.length === 3) {
      return collected;
    }
    return ctx.continueAsNew(collected, true);
  },

  async *broken(ctx, /** @type {string} */ text) {
    yield ctx.callActivity("addOne", 1);
    throw new NoLuckError(text);
  },

  async *uncaught(ctx, /** @type {string} */ text) {
    yield ctx.callActivity("failAlways", text);
  },

  async *gated(ctx, /** @type {number} */ number) {
    const before = yield ctx.callActivity("addOne", number);
    const passed = yield ctx.callActivity("passGate", before);
    const after = yield ctx.callActivity("double", passed);
    return [before, passed, after];
  },
};

const runtime = new WorkflowRuntime({ daprHost: "127.0.0.1", daprPort: options.port });
for (const [name, activity] of Object.entries(activities)) {
  runtime.registerActivityWithName(name, activity);
}
for (const [name, workflow] of Object.entries(workflows)) {
  runtime.registerWorkflowWithName(name, workflow);
}
registerRelay(runtime, options["state-dir"]);
await runtime.start();
process.once("SIGTERM", async () => {
  await runtime.stop();
  process.exit(0);
});
console.log("worker ready");
