// SPDX-License-Identifier: Apache-2.0

import { appendFileSync } from "node:fs";
import { join } from "node:path";

/** @typedef {import("@dapr/dapr").WorkflowContext} WorkflowContext */
/** @typedef {import("@dapr/dapr").WorkflowActivityContext} ActivityContext */

/**
 * Registers a workflow and an activity for the suite of mixed languages: see tests/interop/mixed.
 *
 * @param {import("@dapr/dapr").WorkflowRuntime} runtime
 * @param {string} stateDir
 */
export function registerRelay(runtime, stateDir) {
  runtime.registerActivityWithName(
    "javascriptMark",
    /** Adds its name to the text, and writes down that it was called. */
    (/** @type {ActivityContext} */ _ctx, /** @type {string} */ text) => {
      const marked = `${text} javascriptMark`;
      appendFileSync(join(stateDir, "marks.txt"), `${marked}\n`);
      return marked;
    },
  );
  runtime.registerWorkflowWithName("javascriptRelay", relay);
}

/**
 * Gives the text to each step in turn: an activity by its name, or another relay as a child.
 *
 * @param {WorkflowContext} ctx
 * @param {{ text: string, steps: string[] }} input
 * @returns {AsyncGenerator<any, any, any>}
 */
async function* relay(ctx, { text, steps }) {
  let passed = text;
  for (const step of steps) {
    passed = step.endsWith("Relay")
      ? yield ctx.callChildWorkflow(step, { text: passed, steps: [] })
      : yield ctx.callActivity(step, passed);
  }
  return `${passed} javascriptRelay`;
}
