// SPDX-License-Identifier: Apache-2.0

import { beforeEach, describe, expect, test } from "vitest";
import { createEntry, type Entry, type SeenEnd } from "../load/ledger.ts";
import { check, type Observed } from "./check.ts";
import { readHistoryFacts } from "./history-facts.ts";
import { completed, event, started } from "./testing/history.ts";

const turn = event({ case: "workflowStarted", value: {} });

/** A whole, right world of one parent with one task and one child, for each test to damage. */
let entries: Map<string, Entry>;
let ends: SeenEnd[];
let instances: Map<string, Observed>;
let listed: string[];
let hasRun: boolean;

function observed(instanceId: string, history: Parameters<typeof readHistoryFacts>[0]): Observed {
  return {
    instanceId,
    workflow: "w",
    status: "completed",
    input: 0,
    output: 0,
    executionId: "e",
    generation: 1,
    historyLength: history.length,
    completedAt: 1,
    facts: readHistoryFacts(history),
  };
}

function childHistory(result = "0") {
  return [turn, started("w", "0", { instanceId: "p", taskId: 1 }), completed(0, result)];
}

const parentHistory = [
  turn,
  started(),
  event({ case: "taskScheduled", value: { name: "a" } }, 0),
  event({ case: "childWorkflowInstanceCreated", value: { instanceId: "c" } }, 1),
  event({ case: "taskCompleted", value: { taskScheduledId: 0 } }),
  event({ case: "childWorkflowInstanceCompleted", value: { taskScheduledId: 1, result: "0" } }),
  completed(2),
];

beforeEach(() => {
  const facts = { workflow: "w", input: 0, expected: { kind: "output", output: 0 } } as const;
  const child = createEntry({ ...facts, instanceId: "c" });
  const parent = createEntry({ ...facts, instanceId: "p", children: [child] });
  parent.start = "acknowledged";
  entries = new Map([
    ["p", parent],
    ["c", child],
  ]);
  const end = { status: "completed", output: 0, executionId: "e", completedAt: 1 };
  ends = [{ entry: parent, ...end }];
  instances = new Map([
    ["p", observed("p", parentHistory)],
    ["c", observed("c", childHistory())],
  ]);
  listed = ["p", "c"];
  hasRun = true;
});

/** What the check finds: rule and instance of each violation. */
function findings(wrongAnswers: readonly string[] = []): string[] {
  const byStatus = new Map([["completed", listed]]);
  const known = { entries, ends, wrongAnswers, hasRun: () => hasRun };
  return check(known, { instances, listed, listedByStatus: byStatus }).map(
    ({ rule, instanceId }) => `${rule}: ${instanceId}`,
  );
}

/** Changes what is there of an instance. */
function damage(instanceId: string, change: Partial<Observed>): void {
  const before = instances.get(instanceId);
  if (before !== undefined) instances.set(instanceId, { ...before, ...change });
}

function entryOf(instanceId: string): Entry {
  const entry = entries.get(instanceId);
  if (entry === undefined) throw new Error(`no entry "${instanceId}"`);
  return entry;
}

describe("check()", () => {
  test("finds nothing where all is well", () => {
    expect(findings()).toEqual([]);
  });

  test("finds a missing instance", () => {
    instances.delete("p");
    listed = ["c"];
    expect(findings()).toEqual([
      "an acknowledged start is there: p",
      "an ended instance never changes: p",
    ]);
  });

  test("does not miss a start that was never acknowledged", () => {
    entryOf("p").start = "asked";
    ends = [];
    instances.clear();
    listed = [];
    expect(findings()).toEqual([]);
  });

  test("finds a purged instance that is still there", () => {
    entryOf("p").purge = "acknowledged";
    expect(findings()).toEqual(["an acknowledged purge deletes: p"]);
  });

  test("finds an instance that nobody started", () => {
    entries.delete("c");
    expect(findings()).toEqual(["nothing is there that nobody started: c"]);
  });

  test("finds a child that its parent started and that is not there", () => {
    instances.delete("c");
    listed = ["p"];
    expect(findings()).toEqual(["parent and child agree: c"]);
  });

  test("finds a child whose result is not what its parent was told", () => {
    entries.set(
      "c",
      createEntry({ ...entryOf("c"), input: 0, expected: { kind: "output", output: 9 } }),
    );
    const changed = observed("c", childHistory("9"));
    instances.set("c", { ...changed, output: 9 });
    expect(findings()).toEqual(["parent and child agree: c"]);
  });

  test("finds a child of another parent", () => {
    const history = [turn, started("w", "0", { instanceId: "x", taskId: 1 }), completed(0)];
    instances.set("c", observed("c", history));
    expect(findings()).toEqual(["parent and child agree: c"]);
  });

  test("finds an id that a list lacks, or has twice", () => {
    listed = ["p", "p"];
    expect(findings()).toEqual([
      "the list is exact: p",
      "the list is exact: c",
      "the list of completed instances is exact: p",
      "the list of completed instances is exact: c",
    ]);
  });

  test("finds an end that changed after a caller was told of it", () => {
    damage("p", { completedAt: 2 });
    expect(findings()).toEqual(["an ended instance never changes: p"]);
  });

  test("finds a wrong end that a caller was told of, also of what is purged", () => {
    entryOf("p").purge = "acknowledged";
    instances.clear();
    listed = [];
    entryOf("c").purge = "acknowledged";
    ends = ends.map((end) => ({ ...end, output: 1 }));
    expect(findings()).toEqual(["the result is right: p"]);
  });

  test("finds an instance that differs from its history", () => {
    ends = [];
    damage("p", { historyLength: 3, executionId: "other" });
    expect(findings()).toEqual([
      "the instance is what its history says: p",
      "the instance is what its history says: p",
    ]);
  });

  test("finds another input than the one given", () => {
    entries.set("p", createEntry({ ...entryOf("p"), input: 5 }));
    expect(findings()).toEqual(["the input is the one given: p"]);
  });

  test("finds a history that cannot be", () => {
    const history = parentHistory.filter((_, index) => index !== 4);
    instances.set("p", observed("p", history));
    expect(findings()).toEqual(["the history makes sense: p"]);
  });

  test("finds a result of an activity that was not run", () => {
    hasRun = false;
    expect(findings()).toEqual(["an activity runs at least once: p"]);
  });

  test("reports wrong answers", () => {
    expect(findings(["start: INTERNAL"])).toEqual(["calls are answered rightly: undefined"]);
  });
});
