// SPDX-License-Identifier: Apache-2.0

import { controlScenarios } from "./fault-scenarios-control.js";
import { flowScenarios, flowsUnderFaults } from "./fault-scenarios-flow.js";
import { type FaultyRun, outputOf } from "./faulty-run.js";
import { flows, tasks } from "./flows.js";
import type { Workflow } from "./replay.js";
import type { Script } from "./scripted-worker.js";

/** What is done under faults, and what has to come of it with faults or without. */
export interface Scenario {
  readonly name: string;
  run(run: FaultyRun): Promise<unknown>;
  readonly expected: unknown;
}

/** Takes events "go" until one says "end". */
const untilEnd: Workflow = function* (context) {
  const taken: string[] = [];
  for (;;) {
    const [text = ""]: string[] = yield context.event("go");
    if (text === "end") return taken.join(",");
    taken.push(text);
  }
};

/** Like `untilEnd`, with an execution of its own for each event. */
const renewing: Workflow = function* (context) {
  const [text = ""]: string[] = yield context.event("go");
  if (text === "end") return context.input;
  return context.continueAsNew(context.input === "" ? text : `${context.input},${text}`);
};

/** Wakes twice and then does something. */
const napping: Workflow = function* (context) {
  yield context.timer(1_000_100);
  yield [context.timer(1_000_200), context.timer(1_000_200)];
  const [output = ""]: string[] = yield context.activity("double", "z");
  return output;
};

const tree: Workflow = function* (context) {
  yield [context.child("untilEnd", "leaf-1"), context.child("untilEnd", "leaf-2")];
  return "";
};

const deep: Workflow = function* (context) {
  yield [context.child("tree", "t"), context.child("untilEnd", "leaf-3")];
  return "";
};

/** Two children side by side, then a third on the id of the first. */
const family: Workflow = function* (context) {
  const [one, two] = yield [
    context.child("echo", "kid-1", "a"),
    context.child("chain", "kid-2", "b"),
  ];
  const [three] = yield context.child("echo", "kid-1", "c");
  return `${one} ${two} ${three}`;
};

const messenger: Workflow = function* (context) {
  context.detached("untilEnd", "free");
  yield context.activity("double", "x");
  for (const text of ["1", "2", "end"]) context.sendEvent("free", "go", text);
  return "sent";
};

/** What the worker of the scenarios knows. */
export const script: Script = {
  flows: {
    ...flows,
    ...flowsUnderFaults,
    untilEnd,
    renewing,
    napping,
    tree,
    deep,
    family,
    messenger,
  },
  tasks,
};

/**
 * Raises numbers, then "end" until the instance has ended. Gives whether each acknowledged number
 * was taken exactly once and in order, and no other one twice.
 */
async function raiseAll(
  run: FaultyRun,
  instanceId: string,
  before: (number: number) => Promise<void> = async () => {},
): Promise<boolean> {
  const acknowledged: string[] = [];
  for (let number = 0; number < 6; number += 1) {
    await before(number);
    if (await run.raise(instanceId, "go", `${number}`)) acknowledged.push(`${number}`);
  }
  await run.insist((engine) => engine.raiseEvent(instanceId, "go", "end"));
  const { output = "" } = await run.ended(instanceId);
  const taken = output === "" ? [] : output.split(",");
  const inOrder = [...taken].sort().join() === taken.join();
  return (
    inOrder &&
    new Set(taken).size === taken.length &&
    acknowledged.every((number) => taken.includes(number))
  );
}

const firstScenarios: readonly Scenario[] = [
  {
    name: "a chain of activities",
    expected: ["completed", "xxxxxxxx"],
    run: async (run) => {
      await run.start({ workflow: "chain", instanceId: "a", input: "x" });
      return outputOf(run, "a");
    },
  },
  {
    name: "a fan-out",
    expected: ["completed", "xx+yy+zz"],
    run: async (run) => {
      await run.start({ workflow: "fanOut", instanceId: "a", input: "x,y,z" });
      return outputOf(run, "a");
    },
  },
  {
    name: "events",
    expected: true,
    run: async (run) => {
      await run.start({ workflow: "untilEnd", instanceId: "a" });
      return raiseAll(run, "a");
    },
  },
  {
    name: "events across continue-as-new",
    expected: true,
    run: async (run) => {
      await run.start({ workflow: "renewing", instanceId: "a", input: "" });
      return raiseAll(run, "a");
    },
  },
  {
    name: "events while suspended",
    expected: true,
    run: async (run) => {
      await run.start({ workflow: "untilEnd", instanceId: "a" });
      return raiseAll(run, "a", async (number) => {
        if (number === 2) await run.insist((engine) => engine.suspend("a"));
        if (number === 4) await run.insist((engine) => engine.resume("a"));
      });
    },
  },
  {
    name: "timers",
    expected: ["completed", "zz"],
    run: async (run) => {
      await run.start({ workflow: "napping", instanceId: "a" });
      return outputOf(run, "a");
    },
  },
  {
    name: "a delayed start",
    expected: ["completed", "x"],
    run: async (run) => {
      await run.start({ workflow: "echo", instanceId: "a", input: "x", startAt: 1_000_150 });
      return outputOf(run, "a");
    },
  },
  {
    name: "children",
    expected: [["completed", "a bbbbbbbb c"], ["completed", "bbbbbbbb"], "c"],
    run: async (run) => {
      await run.start({ workflow: "family", instanceId: "p" });
      const kid = await outputOf(run, "kid-2");
      return [await outputOf(run, "p"), kid, (await run.get("kid-1"))?.output];
    },
  },
  {
    name: "a detached workflow and messages",
    expected: [
      ["completed", "sent"],
      ["completed", "1,2"],
    ],
    run: async (run) => {
      await run.start({ workflow: "messenger", instanceId: "m" });
      return [await outputOf(run, "m"), await outputOf(run, "free")];
    },
  },
  {
    name: "a recursive terminate",
    expected: [
      ["terminated", '"bye"'],
      ["terminated", '"bye"'],
      ["terminated", '"bye"'],
    ],
    run: async (run) => {
      await run.start({ workflow: "tree", instanceId: "t" });
      await run.insist((engine) => engine.waitForStart("leaf-2"));
      await run.insist((engine) => engine.terminate("t", { output: '"bye"' }));
      return [
        await outputOf(run, "t"),
        await outputOf(run, "leaf-1"),
        await outputOf(run, "leaf-2"),
      ];
    },
  },
  {
    name: "a recursive purge",
    expected: [undefined, undefined, undefined],
    run: async (run) => {
      await run.start({ workflow: "family", instanceId: "p" });
      await run.ended("p");
      await run.insist((engine) =>
        engine.purge("p").catch((error) => {
          // What was asked before has been done.
          if (error.code !== "INSTANCE_NOT_FOUND") throw error;
        }),
      );
      return [await run.get("p"), await run.get("kid-1"), await run.get("kid-2")];
    },
  },
  {
    name: "an id that is used again",
    expected: [["completed", "xxxxxxxx"], ["completed", "again"], 2],
    run: async (run) => {
      await run.start({ workflow: "chain", instanceId: "a", input: "x" });
      const first = await outputOf(run, "a");
      await run.start({ workflow: "echo", instanceId: "a", input: "again" });
      return [first, await outputOf(run, "a"), (await run.get("a"))?.generation];
    },
  },
];

/** Every scenario. */
export const scenarios: readonly Scenario[] = [
  ...firstScenarios,
  ...flowScenarios,
  ...controlScenarios,
];
