// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../test/manual-clock.js";
import { type RuledCall, StrictRules } from "./call-rules.js";

const engine = { get: async () => undefined, workerCount: () => 0 };

function callOf(payloadBytes: number, signal = new AbortController().signal): RuledCall {
  return { engine, caller: { signal }, payloadBytes };
}

const run = async (): Promise<string> => "done";

describe("StrictRules", () => {
  test("lets no more calls wait than there is room for, until one has left", async () => {
    const rules = new StrictRules(new ManualClock());
    const first = new AbortController();
    const half = limits.heldBytes / 2;
    const waiting = rules.start(callOf(half, first.signal), run);
    const other = callOf(half);

    await expect(rules.start(other, run)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    first.abort();
    await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
    const second = rules.start(other, run);
    rules.stop();
    await expect(second).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
  });

  test("lets nothing wait for a caller that has gone before", async () => {
    const clock = new ManualClock();
    const gone = AbortSignal.abort();
    const waiting = new StrictRules(clock).command(callOf(0, gone), run);
    await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
    expect(clock.alarmCount()).toBe(0);
  });

  test("lets nothing wait once it was stopped", async () => {
    const clock = new ManualClock();
    const rules = new StrictRules(clock);
    rules.stop();
    await expect(rules.start(callOf(0), run)).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
    expect(clock.alarmCount()).toBe(0);
  });

  test("tries again only what may pass", async () => {
    let tries = 0;
    const fail = async (): Promise<never> => {
      tries += 1;
      throw new Error("the store is full");
    };
    const rules = new StrictRules(new ManualClock());
    await expect(rules.retry(callOf(0), fail, () => false)).rejects.toThrow("the store is full");
    expect(tries).toBe(1);
  });
});
