// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";
import {
  type ActivityContext,
  type AnyActivity,
  type AnyWorkflow,
  activity,
  event,
  isPawlError,
  type WorkflowContext,
  workflow,
} from "@pawl/client";

/** What an event carries: the n-th of its sender, counted from 1. */
export interface Item {
  readonly sender: string;
  readonly n: number;
}

/** The event that collecting workflows wait for. */
export const itemEvent = event<Item>("item");
/** The event that racing workflows wait for. */
export const goEvent = event("go");

/** Input of an activity that computes. */
interface Step {
  readonly value: number;
  readonly index: number;
  /** How long the activity takes. */
  readonly delayMs: number;
}

/** What `step` computes: it tells the order of its calls. */
export function stepped(value: number, index: number): number {
  return (value * 31 + index * 17 + 7) % 1_000_003;
}

async function runStep({ value, index, delayMs }: Step): Promise<number> {
  if (delayMs > 0) await sleep(delayMs);
  return stepped(value, index);
}

const step = activity("step", runStep);

/** Fails the first time of each call; the retry has the answer. */
const shakyCalls = new Set<string>();
const shakyStep = activity("shakyStep", (input: Step, context: ActivityContext) => {
  const { taskExecutionId } = context;
  if (shakyCalls.has(taskExecutionId)) return runStep(input);
  shakyCalls.add(taskExecutionId);
  throw new Error("the first attempt of a shaky step fails");
});

/** Input of `chain` and `shaky`. */
export interface ChainInput {
  readonly value: number;
  readonly steps: number;
  readonly delayMs: number;
}

/** One activity after the other, each with the result of the one before. */
export const chain = workflow("chain", runSteps);

async function runSteps(context: WorkflowContext, input: ChainInput): Promise<number> {
  let { value } = input;
  for (let index = 0; index < input.steps; index += 1) {
    value = await context.activity(step, { value, index, delayMs: input.delayMs });
  }
  return value;
}

/** As `chain`, with activities that fail and are tried again. */
export const shaky = workflow("shaky", async (context, input: ChainInput) => {
  const retry = { maxAttempts: 20, firstIntervalMs: 20 };
  let { value } = input;
  for (let index = 0; index < input.steps; index += 1) {
    const { delayMs } = input;
    value = await context.activity(shakyStep, { value, index, delayMs }, { retry });
  }
  return value;
});

/** The output of `chain`. */
export function chained({ value, steps }: ChainInput): number {
  let result = value;
  for (let index = 0; index < steps; index += 1) result = stepped(result, index);
  return result;
}

/** Input of `fanOut`. */
export interface FanOutInput {
  readonly value: number;
  readonly width: number;
  readonly delayMs: number;
}

/** Activities side by side, and their sum. */
export const fanOut = workflow("fanOut", async (context, input: FanOutInput) => {
  const { value, width, delayMs } = input;
  const parts = Array.from({ length: width }, (_, index) => {
    return context.activity(step, { value, index, delayMs });
  });
  return sum(await Promise.all(parts));
});

/** The output of `fanOut`. */
export function fannedOut({ value, width }: FanOutInput): number {
  return sum(Array.from({ length: width }, (_, index) => stepped(value, index)));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Input of `collect` and `accumulate`. */
export interface CollectInput {
  /** Each sends the items 1 to `last`. */
  readonly senders: readonly string[];
  readonly last: number;
  /** Each wait gives up after this and begins anew. */
  readonly timeoutMs?: number;
  /** `accumulate`: items of one execution. */
  readonly itemsPerExecution?: number;
  /** `accumulate`: the items of the executions before. */
  readonly items?: readonly Item[];
}

/** Takes events until the last of each sender has come; its output is what came, in order. */
export const collect = workflow("collect", async (context, input: CollectInput) => {
  const items: Item[] = [];
  while (isWaiting(items, input)) items.push(await nextItem(context, input));
  return items;
});

/** As `collect`, continued as new after a few events each time. */
export const accumulate = workflow(
  "accumulate",
  async (context, input: CollectInput): Promise<readonly Item[]> => {
    const before = input.items ?? [];
    const items = [...before];
    while (isWaiting(items, input)) {
      if (items.length - before.length >= (input.itemsPerExecution ?? 1)) {
        return context.continueAsNew({ ...input, items });
      }
      items.push(await nextItem(context, input));
    }
    return items;
  },
);

function isWaiting(items: readonly Item[], { senders, last }: CollectInput): boolean {
  return senders.some((s) => !items.some(({ sender, n }) => sender === s && n === last));
}

async function nextItem(context: WorkflowContext, { timeoutMs }: CollectInput): Promise<Item> {
  const options = timeoutMs === undefined ? {} : { timeoutMs };
  for (;;) {
    try {
      return await context.waitForEvent(itemEvent, options);
    } catch (error) {
      if (!isPawlError(error) || error.code !== "EVENT_TIMEOUT") throw error;
    }
  }
}

/** Input of `nap`. */
export interface NapInput extends ChainInput {
  readonly waitMs: number;
}

/** A durable timer, then as `chain`. */
export const nap = workflow("nap", async (context, input: NapInput) => {
  await context.sleep(input.waitMs);
  return runSteps(context, input);
});

/** Input of `family`. */
export interface FamilyInput extends ChainInput {
  readonly children: number;
  /** Generations below; at 0 the children are chains. */
  readonly depth: number;
}

/** Child workflows side by side, half of them with an id of their own, and their sum. */
export const family = workflow("family", async (context, input: FamilyInput): Promise<number> => {
  const results = Array.from({ length: input.children }, (_, index) => {
    const options = index % 2 === 0 ? {} : { instanceId: childId(context.instanceId, index) };
    const below = { ...input, value: input.value + index, depth: input.depth - 1 };
    return input.depth > 0
      ? context.child(family, below, options)
      : context.child(chain, below, options);
  });
  return sum(await Promise.all(results));
});

/** The output of `family`. */
export function familySum(input: FamilyInput): number {
  const results = Array.from({ length: input.children }, (_, index) => {
    const below = { ...input, value: input.value + index, depth: input.depth - 1 };
    return input.depth > 0 ? familySum(below) : chained(below);
  });
  return sum(results);
}

/** The id of a child: of its own when its number is odd, else the one that is made for it. */
export function childId(parentId: string, index: number): string {
  if (index % 2 === 1) return `${parentId}/child-${index}`;
  return `${parentId}:${index.toString(16).padStart(4, "0")}`;
}

/** Input of `race`. */
export interface RaceInput {
  readonly execution: number;
  readonly last: number;
  readonly delayMs: number;
}

/**
 * Leaves its activity unfinished when an event comes, and begins anew, for `last` events; then it
 * waits for its activity. A result that reached another execution than its own would show.
 */
export const race = workflow("race", async (context, input: RaceInput): Promise<number> => {
  const { execution, last, delayMs } = input;
  const answer = context.activity(step, { value: execution, index: 0, delayMs });
  if (execution === last) return answer;
  await context.waitForEvent(goEvent);
  return context.continueAsNew({ ...input, execution: execution + 1 });
});

/** Input of `relay`. */
export interface RelayInput {
  readonly targetId: string;
  readonly count: number;
  readonly delayMs: number;
}

/** Sends events to another instance, with activities in between. */
export const relay = workflow("relay", async (context, input: RelayInput) => {
  const { targetId, count, delayMs } = input;
  for (let n = 1; n <= count; n += 1) {
    context.sendEvent(targetId, itemEvent, { sender: context.instanceId, n });
    if (n % 2 === 0) await context.activity(step, { value: n, index: n, delayMs });
  }
  return count;
});

/** Input of `hold`. */
export interface HoldInput {
  readonly children: number;
  readonly delayMs: number;
}

/** Works a little and then waits for ever, as do its children: only terminating ends it. */
export const hold = workflow("hold", async (context, input: HoldInput): Promise<void> => {
  const { children, delayMs } = input;
  const below = Array.from({ length: children }, (_, index) => {
    const options = index % 2 === 0 ? {} : { instanceId: childId(context.instanceId, index) };
    return context.child(hold, { children: 0, delayMs }, options);
  });
  await context.activity(step, { value: 1, index: 0, delayMs });
  await context.waitForEvent("never");
  await Promise.all(below);
});

/** All workflows of the load. */
export const workflows: readonly AnyWorkflow[] = [
  chain,
  shaky,
  fanOut,
  collect,
  accumulate,
  nap,
  family,
  race,
  relay,
  hold,
];

/** Is told when an activity begins, and when it is through. */
export interface ActivityObserver {
  begin(context: ActivityContext): void;
  end(context: ActivityContext): void;
}

/** All activities of the load. */
export function createActivities(observer: ActivityObserver): readonly AnyActivity[] {
  const observed = <I, O>(definition: {
    readonly name: string;
    readonly run: (input: I, context: ActivityContext) => Promise<O> | O;
  }) =>
    activity(definition.name, async (input: I, context: ActivityContext) => {
      observer.begin(context);
      try {
        return await definition.run(input, context);
      } finally {
        observer.end(context);
      }
    });
  return [observed(step), observed(shakyStep)];
}
