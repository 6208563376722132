// SPDX-License-Identifier: Apache-2.0

import type { Engine } from "../src/engine.js";
import { isEngineError } from "../src/errors.js";
import type { Scenario } from "./fault-scenarios.js";
import { type FaultyRun, outputOf } from "./faulty-run.js";

/** The code of a refusal; undefined when there is none. */
async function refusalOf(command: Promise<unknown>): Promise<string | undefined> {
  try {
    await command;
    return undefined;
  } catch (error) {
    if (!isEngineError(error) || error.code === "STORE_UNAVAILABLE") throw error;
    return error.code;
  }
}

/** Purges; one that was carried out without an answer finds nothing the second time. */
function purge(run: FaultyRun, id: string, options: Parameters<Engine["purge"]>[1] = {}) {
  return run.insist(async (engine) => {
    const code = await refusalOf(engine.purge(id, options));
    if (code !== undefined && code !== "INSTANCE_NOT_FOUND") throw new Error(code);
  });
}

async function startTree(run: FaultyRun): Promise<void> {
  await run.start({ workflow: "tree", instanceId: "t" });
  for (const id of ["leaf-1", "leaf-2"]) {
    await run.insist((engine) => engine.waitForStart(id));
  }
}

const deepTree = ["d", "t", "leaf-1", "leaf-2", "leaf-3"];

async function startDeep(run: FaultyRun): Promise<void> {
  await run.start({ workflow: "deep", instanceId: "d" });
  for (const id of deepTree) await run.insist((engine) => engine.waitForStart(id));
}

/** What callers do to instances. */
export const controlScenarios: readonly Scenario[] = [
  {
    name: "a terminate that spares the children",
    expected: [["terminated", undefined], "running", "running"],
    run: async (run) => {
      await startTree(run);
      await run.insist((engine) => engine.terminate("t", { recursive: false }));
      const end = await outputOf(run, "t");
      return [end, (await run.get("leaf-1"))?.status, (await run.get("leaf-2"))?.status];
    },
  },
  {
    name: "a terminate before a delayed start",
    expected: ["terminated", '"never"'],
    run: async (run) => {
      await run.start({ workflow: "echo", instanceId: "a", startAt: 9_000_000 });
      await run.insist((engine) => engine.terminate("a", { output: '"never"' }));
      return outputOf(run, "a");
    },
  },
  {
    name: "a terminate of what has ended",
    expected: ["completed", "x"],
    run: async (run) => {
      await run.start({ workflow: "echo", instanceId: "a", input: "x" });
      await run.ended("a");
      await run.insist((engine) => engine.terminate("a", { output: '"late"' }));
      return outputOf(run, "a");
    },
  },
  {
    name: "a terminate while suspended",
    expected: ["terminated", '"bye"'],
    run: async (run) => {
      await run.start({ workflow: "untilEnd", instanceId: "a" });
      await run.insist((engine) => engine.suspend("a", "wait"));
      await run.insist((engine) => engine.terminate("a", { output: '"bye"' }));
      return outputOf(run, "a");
    },
  },
  {
    name: "suspended twice and resumed",
    expected: ["suspended", ["completed", ""]],
    run: async (run) => {
      await run.start({ workflow: "untilEnd", instanceId: "a" });
      for (let time = 0; time < 2; time += 1) await run.insist((engine) => engine.suspend("a"));
      await run.insist((engine) =>
        engine.waitUntil("a", (instance) => instance.status === "suspended"),
      );
      const status = (await run.get("a"))?.status;
      await run.insist((engine) => engine.raiseEvent("a", "go", "end"));
      await run.insist((engine) => engine.resume("a"));
      return [status, await outputOf(run, "a")];
    },
  },
  {
    name: "a timer that comes while suspended",
    expected: ["completed", "zz"],
    run: async (run) => {
      await run.start({ workflow: "napping", instanceId: "a" });
      await run.insist((engine) => engine.suspend("a"));
      await run.insist((engine) => engine.resume("a"));
      return outputOf(run, "a");
    },
  },
  {
    name: "events before a delayed start",
    expected: ["completed", "early"],
    run: async (run) => {
      await run.start({ workflow: "untilEnd", instanceId: "a", startAt: 1_000_100 });
      const isSure = await run.raise("a", "go", "early");
      await run.insist((engine) => engine.raiseEvent("a", "go", "end"));
      const end = await outputOf(run, "a");
      // Nobody knows whether an event without an answer has arrived.
      return isSure ? end : ["completed", "early"];
    },
  },
  {
    name: "events in one instant",
    expected: true,
    run: async (run) => {
      await run.start({ workflow: "untilEnd", instanceId: "a" });
      await run.insist((engine) =>
        Promise.all(["x", "x", "x"].map((text) => engine.raiseEvent("a", "go", text))),
      );
      await run.insist((engine) => engine.raiseEvent("a", "go", "end"));
      const taken = ((await run.ended("a")).output ?? "").split(",");
      return taken.length >= 3 && taken.every((text) => text === "x");
    },
  },
  {
    name: "a purge, and the id used again",
    expected: [undefined, ["completed", "again"], 1],
    run: async (run) => {
      await run.start({ workflow: "echo", instanceId: "a", input: "x" });
      await run.ended("a");
      await purge(run, "a");
      const gone = await run.get("a");
      await run.start({ workflow: "echo", instanceId: "a", input: "again" });
      return [gone, await outputOf(run, "a"), (await run.get("a"))?.generation];
    },
  },
  {
    name: "a purge by force of what runs",
    expected: undefined,
    run: async (run) => {
      await run.start({ workflow: "napping", instanceId: "a" });
      await purge(run, "a", { force: true });
      return run.get("a");
    },
  },
  {
    name: "a recursive purge by force that is asked for once",
    expected: { isWhole: true, isKept: true },
    run: async (run) => {
      await startDeep(run);
      const isDone = await run.ask((engine) => engine.purge("d", { force: true }));
      await run.quiet();
      const left: boolean[] = [];
      for (const id of deepTree) left.push((await run.get(id))?.status === "running");
      // Cut short, it is done all the same or has not begun: nobody waits for a child that is gone.
      const isGone = left.every((isThere) => !isThere);
      return { isWhole: isGone || left.every((isThere) => isThere), isKept: isGone || !isDone };
    },
  },
  {
    name: "a recursive purge by force, and its ids used again at once",
    expected: [1, 1, 1, 1, 1].map((generation) => ["running", generation]),
    run: async (run) => {
      await startDeep(run);
      const before = (await run.get("d"))?.executionId;
      await purge(run, "d", { force: true });
      await startDeep(run);
      const seen: unknown[] = [];
      for (const id of deepTree) {
        const instance = await run.get(id);
        if (instance?.executionId === before) seen.push("the one of before");
        seen.push([instance?.status, instance?.generation]);
      }
      return seen;
    },
  },
  {
    name: "a purge that spares the children",
    expected: [undefined, "c", "bbbbbbbb"],
    run: async (run) => {
      await run.start({ workflow: "family", instanceId: "p" });
      await run.ended("p");
      await purge(run, "p", { recursive: false });
      const kids = [(await run.get("kid-1"))?.output, (await run.get("kid-2"))?.output];
      return [await run.get("p"), ...kids];
    },
  },
  {
    name: "a purge of what has not ended",
    expected: "INSTANCE_NOT_ENDED",
    run: async (run) => {
      await run.start({ workflow: "untilEnd", instanceId: "a" });
      return run.insist((engine) => refusalOf(engine.purge("a")));
    },
  },
  {
    name: "a start on an id in use",
    expected: ["INSTANCE_EXISTS", "running"],
    run: async (run) => {
      await run.start({ workflow: "untilEnd", instanceId: "a" });
      await run.insist((engine) => engine.waitForStart("a"));
      const start = { workflow: "echo", instanceId: "a" };
      const code = await run.insist((engine) => refusalOf(engine.start(start)));
      return [code, (await run.get("a"))?.status];
    },
  },
  {
    name: "a start on an ended id that may not be used again",
    expected: ["INSTANCE_EXISTS", "x"],
    run: async (run) => {
      await run.start({ workflow: "echo", instanceId: "a", input: "x" });
      await run.ended("a");
      const start = { workflow: "echo", instanceId: "a", enforceUniqueInstanceId: true };
      const code = await run.insist((engine) => refusalOf(engine.start(start)));
      return [code, (await run.get("a"))?.output];
    },
  },
  {
    name: "commands for nobody",
    expected: Array.from({ length: 5 }, () => "INSTANCE_NOT_FOUND"),
    run: async (run) => {
      const commands: ((engine: Engine) => Promise<unknown>)[] = [
        (engine) => engine.raiseEvent("nobody", "go"),
        (engine) => engine.suspend("nobody"),
        (engine) => engine.resume("nobody"),
        (engine) => engine.terminate("nobody"),
        (engine) => engine.purge("nobody"),
      ];
      const codes: unknown[] = [];
      for (const command of commands) {
        codes.push(await run.insist((engine) => refusalOf(command(engine))));
      }
      return codes;
    },
  },
  {
    name: "a list and a history",
    expected: [["a", "b"], "executionCompleted"],
    run: async (run) => {
      for (const instanceId of ["a", "b"]) {
        await run.start({ workflow: "echo", instanceId, tags: { kind: "listed" } });
        await run.ended(instanceId);
      }
      const { instances } = await run.insist((engine) => engine.list());
      const history = await run.insist((engine) => engine.history("a"));
      return [instances.map(({ instanceId }) => instanceId).sort(), history.at(-1)?.eventType.case];
    },
  },
  {
    name: "an ended tree, ended again from the top",
    expected: ["terminated", "terminated", "terminated"],
    run: async (run) => {
      await startTree(run);
      await run.insist((engine) => engine.terminate("t", { recursive: false }));
      await run.ended("t");
      await run.insist((engine) => engine.terminate("t", { recursive: true }));
      const ends = [await run.ended("t"), await run.ended("leaf-1"), await run.ended("leaf-2")];
      return ends.map(({ status }) => status);
    },
  },
];
