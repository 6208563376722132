// SPDX-License-Identifier: Apache-2.0

import type { Scenario } from "./fault-scenarios.js";
import { type FaultyRun, outputOf } from "./faulty-run.js";
import type { Workflow } from "./replay.js";

/** An activity that fails twice, with a pause before each repetition. */
const retrying: Workflow = function* (context) {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      yield context.activity("refuse");
    } catch {
      yield context.timer(1_000_100 + 50 * attempt);
    }
  }
  const [output = ""]: string[] = yield context.activity("double", "r");
  return output;
};

/** All kinds of waits at once. */
const mixed: Workflow = function* (context) {
  const [doubled, child] = yield [
    context.activity("double", "m"),
    context.child("echo", "mixed-kid", "k"),
    context.timer(1_000_120),
  ];
  return `${doubled} ${child}`;
};

const counting: Workflow = function* (context) {
  const [output = ""]: string[] = yield context.activity("double", "1");
  return context.input === "3" ? output : context.continueAsNew(String(Number(context.input) + 1));
};

/** Goes on as new while an activity and a timer are under way. */
const restless: Workflow = function* (context) {
  if (context.input === "new") {
    const [output = ""]: string[] = yield context.activity("double", "n");
    return output;
  }
  context.activity("double", "left behind");
  context.timer(1_000_150);
  yield context.timer(1_000_050);
  return context.continueAsNew("new");
};

const failing: Workflow = function* (context) {
  yield context.activity("refuse");
  return "";
};

/** What becomes of a child that fails. */
const patient: Workflow = function* (context) {
  try {
    yield context.child("failing", "failing-kid");
    return "no failure";
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
};

const grand: Workflow = function* (context) {
  const [output = ""]: string[] = yield context.child("patient", "patient-kid");
  return `below: ${output}`;
};

/** Children whose ids the engine chooses. */
const nameless: Workflow = function* (context) {
  const outputs = yield [context.child("echo", "", "1"), context.child("chain", "", "2")];
  return outputs.join("+");
};

/** A child on an id that is in use. */
const crowded: Workflow = function* (context) {
  try {
    yield context.child("echo", "busy");
    return "taken over";
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
};

const reporting: Workflow = function* (context) {
  context.customStatus = "one";
  yield context.activity("double", "x");
  context.customStatus = "two";
  yield context.timer(1_000_080);
  return context.customStatus;
};

/** Ends another, and says so. */
const killer: Workflow = function* (context) {
  context.terminate("victim", '"killed"');
  const [output = ""]: string[] = yield context.activity("double", "k");
  return output;
};

/** Starts another on its own at a later moment. */
const postponer: Workflow = function* (context) {
  context.detached("echo", "later", { input: "late", startAt: 1_000_130 });
  const [output = ""]: string[] = yield context.activity("double", "p");
  return output;
};

/** Ends while an activity that nobody waits for is under way. */
// biome-ignore lint/correctness/useYield: a workflow that waits for nothing
const hasty: Workflow = function* (context) {
  context.activity("double", "loose");
  return "done";
};

const relay: Workflow = function* (context) {
  for (const text of ["a", "b", "end"]) {
    context.sendEvent("receiver", "go", text);
    yield context.timer(1_000_050);
  }
  return "sent";
};

/** Workflows of these scenarios. */
export const flowsUnderFaults = {
  retrying,
  mixed,
  counting,
  restless,
  failing,
  patient,
  grand,
  nameless,
  crowded,
  reporting,
  killer,
  postponer,
  hasty,
  relay,
};

/** A scenario that starts one workflow as "a" and looks at its end. */
function plain(name: string, workflow: string, expected: unknown, input?: string): Scenario {
  return {
    name,
    expected,
    run: async (run: FaultyRun) => {
      await run.start({ workflow, instanceId: "a", ...(input === undefined ? {} : { input }) });
      return outputOf(run, "a");
    },
  };
}

/** What workflows do. */
export const flowScenarios: readonly Scenario[] = [
  plain("an activity that is tried again", "retrying", ["completed", "rr"]),
  plain("activity, child and timer at once", "mixed", ["completed", "mm k"]),
  plain("continue-as-new after each activity", "counting", ["completed", "11"], "1"),
  plain("continue-as-new with work left behind", "restless", ["completed", "nn"]),
  plain("a workflow that fails", "failing", ["failed", undefined]),
  plain("a child that fails", "patient", ["completed", "Refused"]),
  plain("a grandchild that fails", "grand", ["completed", "below: Refused"]),
  plain("children whose ids the engine chooses", "nameless", ["completed", "1+22222222"]),
  plain("an end with an activity under way", "hasty", ["completed", "done"]),
  plain("a wide fan-out", "fanOut", ["completed", "11+22+33+44+55+66+77+88"], "1,2,3,4,5,6,7,8"),
  {
    name: "a custom status",
    expected: [["completed", "two"], "two"],
    run: async (run) => {
      await run.start({ workflow: "reporting", instanceId: "a" });
      return [await outputOf(run, "a"), (await run.get("a"))?.customStatus];
    },
  },
  {
    name: "a child on an occupied id",
    expected: [["completed", "WorkflowInstanceAlreadyExists"], "running"],
    run: async (run) => {
      await run.start({ workflow: "untilEnd", instanceId: "busy" });
      await run.insist((engine) => engine.waitForStart("busy"));
      await run.start({ workflow: "crowded", instanceId: "a" });
      return [await outputOf(run, "a"), (await run.get("busy"))?.status];
    },
  },
  {
    name: "a workflow that ends another",
    expected: [
      ["completed", "kk"],
      ["terminated", '"killed"'],
    ],
    run: async (run) => {
      await run.start({ workflow: "untilEnd", instanceId: "victim" });
      await run.start({ workflow: "killer", instanceId: "a" });
      return [await outputOf(run, "a"), await outputOf(run, "victim")];
    },
  },
  {
    name: "a detached workflow with a delayed start",
    expected: [
      ["completed", "pp"],
      ["completed", "late"],
    ],
    run: async (run) => {
      await run.start({ workflow: "postponer", instanceId: "a" });
      return [await outputOf(run, "a"), await outputOf(run, "later")];
    },
  },
  {
    name: "events of a workflow for another, over continue-as-new",
    expected: [
      ["completed", "sent"],
      ["completed", "a,b"],
    ],
    run: async (run) => {
      await run.start({ workflow: "renewing", instanceId: "receiver", input: "" });
      await run.start({ workflow: "relay", instanceId: "a" });
      return [await outputOf(run, "a"), await outputOf(run, "receiver")];
    },
  },
  {
    name: "two workflows side by side",
    expected: [
      ["completed", "xxxxxxxx"],
      ["completed", "yy+zz"],
    ],
    run: async (run) => {
      await run.start({ workflow: "chain", instanceId: "a", input: "x" });
      await run.start({ workflow: "fanOut", instanceId: "b", input: "y,z" });
      return [await outputOf(run, "a"), await outputOf(run, "b")];
    },
  },
];
