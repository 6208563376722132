// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { instanceModel, type Operation, type Seen } from "./instance-model.ts";
import { linearize } from "./linearize.ts";
import { modelCheck } from "./model-check.ts";

const start: Operation = { verb: "start", executionId: "x1", answer: "ok" };
const raise = (text: string): Operation => ({ verb: "raise", text, answer: "ok" });
const seen = (status: string, taken?: string[], output?: string): Seen => {
  return { executionId: "x1", status, taken: taken && JSON.stringify(taken), output };
};
const read = (what: Seen): Operation => ({ verb: "read", seen: what });

/** The verdict on calls that come one after the other. */
function verdictOn(...operations: readonly Operation[]) {
  const calls = operations.map((operation, index) => {
    return { operation, calledAt: 2 * index, answeredAt: 2 * index + 1 };
  });
  return linearize(instanceModel, calls);
}

describe("instanceModel", () => {
  test("explains an instance that takes events and ends", () => {
    const steps = [
      start,
      read(seen("pending")),
      raise("a"),
      raise("b"),
      read(seen("running", ["a"])),
    ];
    expect(verdictOn(...steps)).toBe("yes");
    const end = read(seen("completed", ["a", "b"], '["a","b"]'));
    expect(verdictOn(...steps, raise("~end~"), end)).toBe("yes");
  });

  test("does not explain an event that is lost, comes twice, or overtakes another", () => {
    for (const taken of [["b"], ["a", "a"], ["b", "a"]]) {
      expect(verdictOn(start, raise("a"), raise("b"), read(seen("running", taken)))).toBe("no");
    }
  });

  test("does not explain a state that goes back", () => {
    const forth = [start, raise("a"), read(seen("running", ["a"]))];
    expect(verdictOn(...forth, read(seen("running")))).toBe("no");
    expect(verdictOn(start, read(undefined))).toBe("no");
  });

  test("holds events back while it is suspended", () => {
    const suspend: Operation = { verb: "suspend", text: "s", answer: "ok" };
    const steps = [start, suspend, raise("a")];
    expect(verdictOn(...steps, read(seen("suspended")))).toBe("yes");
    expect(verdictOn(...steps, read(seen("suspended", ["a"])))).toBe("no");
    const resume: Operation = { verb: "resume", text: "r", answer: "ok" };
    expect(verdictOn(...steps, resume, read(seen("running", ["a"])))).toBe("yes");
  });

  test("knows which calls an id in use refuses", () => {
    const again: Operation = { verb: "start", executionId: "x2", answer: "INSTANCE_EXISTS" };
    expect(verdictOn(start, again)).toBe("yes");
    expect(verdictOn(again)).toBe("no");
    expect(verdictOn(start, { verb: "purge", answer: "INSTANCE_NOT_ENDED" })).toBe("yes");
    expect(verdictOn(start, { verb: "purge", answer: "ok" })).toBe("no");
    const terminate: Operation = { verb: "terminate", text: "t", answer: "ok" };
    expect(verdictOn(start, terminate, { verb: "purge", answer: "ok" }, read(undefined))).toBe(
      "yes",
    );
  });
});

describe("modelCheck()", () => {
  test("finds an order for the calls of a hundred seeds, and decides nearly all", async () => {
    let calls = 0;
    let undecided = 0;
    for (let seed = 1; seed <= 100; seed += 1) {
      const result = await modelCheck(seed);
      expect({ seed, violations: result.violations }).toEqual({ seed, violations: [] });
      calls += result.calls;
      undecided += result.undecided;
    }
    expect(calls).toBeGreaterThan(2000);
    expect(undecided).toBeLessThan(10);
  });
});
