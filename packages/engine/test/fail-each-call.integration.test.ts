// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { problemsOf } from "../src/testing/check-store.js";
import type { FaultKind } from "../src/testing/fault-store.js";
import { type Scenario, scenarios, script } from "./fault-scenarios.js";
import { FaultyRun } from "./faulty-run.js";
import { askedAndRecorded } from "./replay.js";

/** Runs a scenario to its end; what it gives, and what is wrong with the store and its histories then. */
async function outcomeOf(
  scenario: Scenario,
  prepare: (run: FaultyRun) => void,
): Promise<{ result: unknown; problems: string[]; calls: number }> {
  const run = await FaultyRun.create(script);
  prepare(run);
  const result = await scenario.run(run);
  await run.quiet();
  const calls = run.faults.callCount();
  const problems = await problemsOf(run.faults.behind, run.clock.now());
  problems.push(...run.lies, ...(await divergencesOf(run)));
  return { result, problems, calls };
}

/** Histories that the code of their workflows would not write again. */
async function divergencesOf(run: FaultyRun): Promise<string[]> {
  const problems: string[] = [];
  const { instances } = await run.insist((engine) => engine.list({ payloads: false }));
  for (const { instanceId, workflow, status } of instances) {
    const flow = script.flows?.[workflow];
    // Nothing is asked for while it is suspended, and how a terminated one ends is not its code's affair.
    if (flow === undefined || status === "suspended" || status === "terminated") continue;
    const history = await run.insist((engine) => engine.history(instanceId));
    const { asked, recorded } = askedAndRecorded(flow, history);
    if (asked.join() !== recorded.join()) problems.push(`${instanceId}: ${asked} for ${recorded}`);
  }
  return problems;
}

test("there are forty scenarios at least, each with a name of its own", () => {
  expect(scenarios.length).toBeGreaterThanOrEqual(40);
  expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
});

describe.each(scenarios)("$name", (scenario) => {
  test.each<FaultKind>(["error", "error-after", "cut"])(
    "comes to the same end when any one call of the store ends with %s",
    async (kind) => {
      const { result, problems, calls } = await outcomeOf(scenario, () => {});
      expect({ result, problems }).toEqual({ result: scenario.expected, problems: [] });
      expect(calls).toBeGreaterThan(3);
      for (let nth = 1; nth <= calls; nth += 1) {
        const outcome = await outcomeOf(scenario, ({ faults }) => faults.failNext(nth, kind));
        const { result: found, problems: broken } = outcome;
        expect({ nth, found, broken }).toEqual({ nth, found: scenario.expected, broken: [] });
      }
    },
  );

  test("comes to the same end when every third write fails", async () => {
    const outcome = await outcomeOf(scenario, ({ faults }) => {
      for (let nth = 3; nth < 60; nth += 3) faults.failNext(nth, "error", ["write"]);
    });
    expect(outcome).toMatchObject({ problems: [], result: scenario.expected });
  });
});
