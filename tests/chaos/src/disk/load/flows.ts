// SPDX-License-Identifier: Apache-2.0

import { type AnyActivity, type AnyWorkflow, activity, event, workflow } from "@pawl/client";
import type { ActivityLog } from "../../load/activity-log.ts";

/** What `tally` is sent; 0 ends it. `pad` makes it large. */
export interface TallyItem {
  readonly n: number;
  readonly pad: string;
}

/** Input of every workflow; `pad` makes it large. */
export interface FlowInput {
  readonly value: number;
  readonly pad: string;
}

const tallyEvent = event<TallyItem>("item");
const add = activity("add", ({ value }: FlowInput) => value + 1);

/** Collects the numbers that it is sent, until it is sent 0. */
export const tally = workflow("tally", async (context, _: FlowInput) => {
  const seen: number[] = [];
  for (;;) {
    const { n } = await context.waitForEvent(tallyEvent);
    if (n === 0) return seen;
    seen.push(n);
  }
});

/** Adds three, one at a time. */
export const chain = workflow("chain", async (context, { value, pad }: FlowInput) => {
  let sum = value;
  for (let step = 0; step < 3; step += 1) sum = await context.activity(add, { value: sum, pad });
  return sum;
});

/** Has a child add three, and naps. */
export const pair = workflow("pair", async (context, input: FlowInput) => {
  const sum = context.child(chain, input, { instanceId: `${context.instanceId}.child` });
  await context.sleep(5);
  return sum;
});

/** All workflows. The id of an instance begins with the name of its workflow. */
export const flows: readonly AnyWorkflow[] = [tally, chain, pair];
/** All activities. Each notes when it begins. */
export function createActivities(runs: ActivityLog): readonly AnyActivity[] {
  const noted = activity(add.name, (input: FlowInput, context) => {
    runs.begin(context);
    return add.run(input, context);
  });
  return [noted];
}

/** What an instance's number, which is the last part of its id, makes of its input and output. */
export function numberOf(instanceId: string): number {
  return Number(/(\d+)(\.child)?$/.exec(instanceId)?.[1] ?? Number.NaN);
}
