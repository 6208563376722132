// SPDX-License-Identifier: Apache-2.0

import { activity, workflow } from "@pawl/client";
import type { HistoryEvent } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import type { Observed } from "./check.ts";
import { readHistoryFacts } from "./history-facts.ts";
import { checkReplays } from "./replays.ts";
import { completed, event, started } from "./testing/history.ts";

const add = activity("add", (value: number) => value + 1);
const w = workflow("w", (context, value: number) => context.activity(add, value));

const turn = event({ case: "workflowStarted", value: {} });

/** The history of an instance that asked for an activity and ended with its result. */
function historyOf(name: string, result: string): HistoryEvent[] {
  return [
    turn,
    started("w", "1"),
    event({ case: "taskScheduled", value: { name, input: "1" } }, 0),
    turn,
    event({ case: "taskCompleted", value: { taskScheduledId: 0, result: "2" } }),
    completed(1, result),
  ];
}

async function findings(history: readonly HistoryEvent[]): Promise<string[]> {
  const instance: Observed = {
    instanceId: "i",
    workflow: "w",
    status: "completed",
    input: 1,
    output: 2,
    executionId: "e",
    generation: 1,
    historyLength: history.length,
    completedAt: 1,
    facts: readHistoryFacts(history),
  };
  const found = { instances: new Map([["i", instance]]), histories: new Map([["i", history]]) };
  return (await checkReplays([w], found)).map((violation) => violation.found);
}

describe("checkReplays()", () => {
  test("finds nothing where the code asks for what history has", async () => {
    expect(await findings(historyOf("add", "2"))).toEqual([]);
  });

  test("finds an action that the code does not ask for", async () => {
    const [found] = await findings(historyOf("other", "2"));
    expect(found).toContain('history has activity \\"other\\"');
  });

  test("finds an end that the code does not come to", async () => {
    const [found] = await findings(historyOf("add", "3"));
    expect(found).toBe('its code asks for ["COMPLETED 2"] at the end, history has ["COMPLETED 3"]');
  });

  test("finds that the code has not come to its end", async () => {
    const history = historyOf("add", "2").filter((_, index) => index !== 4);
    const [found] = await findings(history);
    expect(found).toBe('its code asks for [] at the end, history has ["COMPLETED 2"]');
  });
});
