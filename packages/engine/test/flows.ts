// SPDX-License-Identifier: Apache-2.0

import type { Workflow } from "./replay.js";

/** Three activities, one after the other; each doubles the text. */
export const chain: Workflow = function* (context) {
  let text = context.input;
  for (let step = 0; step < 3; step += 1) [text = ""] = yield context.activity("double", text);
  return text;
};

/** One activity for each comma-separated part of the input, all at once. */
export const fanOut: Workflow = function* (context) {
  const outputs = yield context.input.split(",").map((part) => context.activity("double", part));
  return outputs.join("+");
};

/** As many events "go" as the input says; the output has their payloads in order. */
export const gather: Workflow = function* (context) {
  const taken: string[] = [];
  while (taken.length < Number(context.input)) taken.push(...(yield context.event("go")));
  return taken.join(",");
};

/** Sleeps until the instant of the input. */
export const sleep: Workflow = function* (context) {
  yield context.timer(Number(context.input));
  return `woke at ${context.now}`;
};

/** Waits for a child of the workflow and id in the input ("workflow id input"). */
export const parent: Workflow = function* (context) {
  const [workflow = "", instanceId = "", input = ""] = context.input.split(" ");
  const [output] = yield context.child(workflow, instanceId, input);
  return `child said ${output}`;
};

/** Ends at once with its input. */
// biome-ignore lint/correctness/useYield: a workflow that waits for nothing
export const echo: Workflow = function* (context) {
  return context.input;
};

/** Every workflow of the tests, by name. */
export const flows = { chain, fanOut, gather, sleep, parent, echo };

/** The activities of these workflows. */
export const tasks = {
  double: (input: string): string => `${input}${input}`,
  refuse: (): string => {
    throw new Error("Refused");
  },
};
