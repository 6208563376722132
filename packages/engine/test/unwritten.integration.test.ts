// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { isEngineError } from "../src/errors.js";
import type { Gate } from "../src/testing/fault-store.js";
import { child, complete, continueWith, schedule } from "./actions.js";
import { EngineUnderTest } from "./open-engine.js";

describe("while a commit is on its way", () => {
  test("continue-as-new leaves the activity of the execution before its own execution", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    const { executionId } = await under.engine.start({ workflow: "w", instanceId: "a" });
    const first = await worker.turn();
    const writes = under.faults.hold("write");
    const asked = worker.completeTurn(first, [schedule(0, "work")]);
    const raised = under.engine.raiseEvent("a", "go");
    const continued = worker.completeTurn(await worker.turn(2), [continueWith(1)]);
    writes.release();
    await Promise.all([asked, raised, continued]);
    expect(await worker.activity()).toMatchObject({ taskId: 0, executionId });
    await worker.completeTurn(await worker.turn(3), [schedule(0, "work")]);
    const now = await worker.activity(2);
    expect(now.executionId).not.toBe(executionId);
    await worker.completeActivity(now, { output: "1" });
    await worker.completeTurn(await worker.turn(4), [complete(1)]);
    expect(await under.engine.get("a")).toMatchObject({ status: "completed" });
    await under.engine.close();
  });

  test.each([
    ["a second start", "INSTANCE_EXISTS"],
    ["a purge", "INSTANCE_NOT_ENDED"],
  ])("%s is refused no sooner than the start is written", async (what, code) => {
    const under = await EngineUnderTest.open();
    const writes = under.faults.hold("write");
    const answers: string[] = [];
    const started = under.engine
      .start({ workflow: "w", instanceId: "a" })
      .then(() => answers.push("started"));
    await untilWaiting(writes);
    const refused = refusalOf(
      what === "a purge"
        ? under.engine.purge("a")
        : under.engine.start({ workflow: "w", instanceId: "a" }),
    ).then((refusal) => answers.push(refusal));
    await nextTick();
    expect(answers).toEqual([]);
    writes.release();
    await Promise.all([started, refused]);
    expect(answers).toEqual(["started", code]);
    await under.engine.close();
  });

  test("a command for what is purged is refused no sooner than it is gone", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [complete(0)]);
    const writes = under.faults.hold("write");
    const answers: string[] = [];
    const purged = under.engine.purge("a").then(() => answers.push("purged"));
    await untilWaiting(writes);
    const refused = [under.engine.purge("a"), under.engine.raiseEvent("a", "late")].map((command) =>
      refusalOf(command).then((refusal) => answers.push(refusal)),
    );
    await nextTick();
    expect(answers).toEqual([]);
    writes.release();
    await Promise.all([purged, ...refused]);
    expect(answers.sort()).toEqual(["INSTANCE_NOT_FOUND", "INSTANCE_NOT_FOUND", "purged"]);
    await under.engine.close();
  });

  test("a recursive purge does not miss a child whose start is on its way", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    const first = await worker.turn();
    const writes = under.faults.hold("write");
    const asked = worker.completeTurn(first, [child(0, "w", "c")]);
    const terminated = under.engine.terminate("a");
    const ended = worker.completeTurn(await worker.turn(2), []);
    const refused = refusalOf(under.engine.purge("a"));
    writes.release();
    await Promise.all([asked, terminated, ended]);
    expect(await refused).toBe("INSTANCE_NOT_ENDED");
    await worker.completeTurn(await worker.turn(3), []);
    await worker.completeTurn(await worker.turn(4), []);
    expect(await under.engine.get("c")).toMatchObject({ status: "terminated" });
    expect(await under.engine.purge("a")).toBe(2);
    expect(await under.engine.get("c")).toBeUndefined();
    await under.engine.close();
  });
});

/** Resolves when a call waits. */
async function untilWaiting(gate: Gate): Promise<void> {
  while (gate.waiting() === 0) await nextTick();
}

/** The code of a refused command. */
function refusalOf(command: Promise<unknown>): Promise<string> {
  return command.then(
    () => "accepted",
    (error: unknown) => (isEngineError(error) ? error.code : String(error)),
  );
}
