// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { readExecutions } from "../src/runtime/read/executions.js";
import { readSnapshot } from "../src/runtime/read/reader.js";
import { put } from "../src/store/store.js";
import { problemsOf } from "../src/testing/check-store.js";
import { complete, continueWith } from "./actions.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";
import { kinds } from "./scripted-worker.js";

/** An engine where "a" has had these inputs, one after the other; and the execution ids. */
async function used(
  inputs: readonly string[],
  keepExecutions = true,
): Promise<{ under: EngineUnderTest; executionIds: string[] }> {
  const under = await EngineUnderTest.open({ keepExecutions });
  under.connect({ flows, tasks });
  const executionIds: string[] = [];
  for (const input of inputs) {
    const tags = { input };
    const started = await under.engine.start({ workflow: "chain", instanceId: "a", input, tags });
    executionIds.push(started.executionId);
    await under.engine.waitForCompletion("a");
  }
  return { under, executionIds };
}

describe("an execution whose id was used again", () => {
  test("stays readable under its execution id, with its history", async () => {
    const { under, executionIds } = await used(["x", "y", "z"]);
    const { engine } = under;
    for (const [index, executionId] of executionIds.entries()) {
      const input = "xyz".charAt(index);
      expect(await engine.get("a", { executionId })).toMatchObject({
        executionId,
        input,
        output: input.repeat(8),
        status: "completed",
        generation: index + 1,
        tags: { input },
      });
      const history = await engine.history("a", { executionId });
      expect(history).toHaveLength(12);
      expect(kinds(history).at(-1)).toBe("executionCompleted");
    }
    expect((await engine.get("a"))?.executionId).toBe(executionIds[2]);
    expect(await engine.get("a", { executionId: "none" })).toBeUndefined();
    await expect(engine.history("a", { executionId: "none" })).rejects.toMatchObject({
      code: "INSTANCE_NOT_FOUND",
    });
    expect(await engine.get("a", { executionId: executionIds[0] ?? "", payloads: false }))
      .not // prettier
      .toHaveProperty("input");
    await engine.close();
  });

  test("is listed on a page that has room for its payloads", async () => {
    const { engine } = await EngineUnderTest.open({ keepExecutions: true });
    const sizes = [1_500_000, 2, 1_500_000, 1_500_000];
    for (const size of sizes) {
      await engine.start({ workflow: "w", instanceId: "a", input: "x".repeat(size) });
      await engine.terminate("a");
    }
    const found: number[][] = [];
    for (let pageToken: string | undefined = ""; pageToken !== undefined; ) {
      const page = await engine.executions("a", { pageToken });
      found.push(page.instances.map(({ input = "" }) => input.length));
      pageToken = page.nextPageToken;
    }
    expect(found).toEqual([[1_500_000, 1_500_000, 2], [1_500_000]]);
    expect((await engine.executions("a", { payloads: false })).instances).toHaveLength(4);
    await engine.close();
  });

  test("is listed with the others of its id, the newest first, page by page", async () => {
    const { under, executionIds } = await used(["1", "2", "3", "4", "5"]);
    const { engine } = under;
    const found: string[] = [];
    let pageToken: string | undefined;
    const sizes: number[] = [];
    do {
      const page = await engine.executions("a", {
        pageSize: 2,
        ...(pageToken === undefined ? {} : { pageToken }),
      });
      sizes.push(page.instances.length);
      found.push(...page.instances.map(({ executionId }) => executionId));
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
    expect(found).toEqual([...executionIds].reverse());
    expect(sizes).toEqual([2, 2, 1]);
    expect((await engine.list()).instances).toHaveLength(1);
    expect(await engine.executions("none")).toEqual({ instances: [] });
    const bare = await engine.executions("a", { payloads: false });
    expect(bare.instances[4]).not.toHaveProperty("input");
    const refused = { code: "INVALID_ARGUMENT" };
    for (const pageToken of ["x", "99999999999", "-1"]) {
      await expect(engine.executions("a", { pageToken })).rejects.toMatchObject(refused);
    }
    for (const pageSize of [-1, 0.5, Number.NaN]) {
      await expect(engine.executions("a", { pageSize })).rejects.toMatchObject(refused);
    }
    await engine.close();
  });

  test("is listed once when it became an older one while the list was made", async () => {
    const { under, executionIds } = await used(["1", "2"]);
    const store = under.faults.behind;
    const present = await readSnapshot(store, "a", false);
    await under.engine.start({ workflow: "chain", instanceId: "a", input: "3" });
    const { instances } = await readExecutions(store, "a", present, { payloads: false });
    expect(instances.map(({ executionId }) => executionId)).toEqual([...executionIds].reverse());
    await under.engine.close();
  });

  test("is there after a crash, whole, and the store is in order", async () => {
    const { under, executionIds } = await used(["x", "y"]);
    const after = await under.crash();
    expect(await problemsOf(after.faults.behind, after.clock.now())).toEqual([]);
    const executionId = executionIds[0] ?? "";
    expect(await after.engine.get("a", { executionId })).toMatchObject({ output: "x".repeat(8) });
    expect((await after.engine.executions("a")).instances).toHaveLength(2);
    await after.engine.close();
  });

  test("keeps events that were on their way to the disk when the id was used again", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    const first = await under.engine.start({ workflow: "w", instanceId: "a" });
    const turn = await worker.turn();
    const gate = under.faults.hold("write");
    const busy = under.engine.start({ workflow: "other", instanceId: "b" });
    while (gate.waiting() === 0) await new Promise((resolve) => setImmediate(resolve));
    // The end and the new start go into one commit, behind the one that is held.
    const done = worker.completeTurn(turn, [complete(0, '"end"')]);
    const again = under.engine.start({ workflow: "w", instanceId: "a" });
    await new Promise((resolve) => setImmediate(resolve));
    gate.release();
    await Promise.all([busy, done, again]);
    const { executionId } = first;
    expect(await under.engine.get("a", { executionId })).toMatchObject({ output: '"end"' });
    expect(await under.engine.history("a", { executionId })).toHaveLength(3);
    await under.engine.close();
  });

  test("goes with a purge of the instance, and nothing is left", async () => {
    const { under, executionIds } = await used(["x", "y", "z"]);
    expect(await under.engine.purge("a")).toBe(1);
    expect(await under.left()).toBe(0);
    expect(await under.engine.get("a", { executionId: executionIds[0] ?? "" })).toBeUndefined();
    await under.engine.close();
  });

  test("goes with a purge by force of a running instance, and of a damaged one", async () => {
    const { under } = await used(["x", "y"]);
    await under.engine.start({ workflow: "gather", instanceId: "a", input: "1" });
    await under.engine.purge("a", { force: true });
    expect(await under.left()).toBe(0);
    const { under: other } = await used(["x", "y"]);
    await other.engine.close();
    const range = { gte: Uint8Array.of(0), lt: Uint8Array.of(0xff, 0xff) };
    for (const [key, value] of await other.faults.behind.range(range)) {
      if (key[2] !== 0x69) continue;
      await other.faults.behind.write([put(key, value.fill(0xff))]);
    }
    const after = await other.reopen();
    await after.engine.purge("a", { force: true });
    const left = (await after.faults.behind.range(range)).filter(([key]) =>
      [0x69, 0x68, 0x72, 0x65, 0x6e].includes(key[2] ?? 0),
    );
    expect(left).toEqual([]);
    await after.engine.close();
  });

  test("goes with a purge by force where its own row is damaged, and not without", async () => {
    const { under } = await used(["x", "y"]);
    await under.engine.close();
    const range = { gte: Uint8Array.of(0), lt: Uint8Array.of(0xff, 0xff) };
    for (const [key, value] of await under.faults.behind.range(range)) {
      if (key[2] === 0x72) await under.faults.behind.write([put(key, value.fill(0xff))]);
    }
    const after = await under.reopen();
    await expect(after.engine.purge("a")).rejects.toMatchObject({ code: "INSTANCE_DAMAGED" });
    expect(await after.engine.purge("a", { force: true })).toBe(1);
    expect(await under.left()).toBe(0);
    await after.engine.close();
  });

  test("leaves nothing behind when it became an older one while its instance was purged", async () => {
    const { under } = await used(["x"]);
    await under.engine.purge("a");
    for (let ticks = 0; ticks < 40; ticks += 1) {
      for (let execution = 1; execution <= 2; execution += 1) {
        await under.engine.start({ workflow: "echo", instanceId: "a" });
        await under.engine.waitForCompletion("a");
      }
      const purging = under.engine.purge("a", { force: true });
      for (let tick = 0; tick < ticks; tick += 1) {
        await (ticks % 2 === 0 ? Promise.resolve() : new Promise((done) => process.nextTick(done)));
      }
      await Promise.all([purging, under.engine.start({ workflow: "echo", instanceId: "a" })]);
      await under.engine.idle();
      await under.engine.purge("a").catch(() => 0);
      expect(await under.left()).toBe(0);
    }
    await under.engine.close();
  });

  test("is not kept when it continued as new, nor where that is switched off", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [continueWith(0)]);
    await worker.completeTurn(await worker.turn(2), [complete(0)]);
    const { instances } = await under.engine.executions("a");
    expect(instances.map(({ generation }) => generation)).toEqual([2]);
    await under.engine.close();
    const { under: other, executionIds } = await used(["x", "y"], false);
    expect((await other.engine.executions("a")).instances).toHaveLength(1);
    expect(await other.engine.get("a", { executionId: executionIds[0] ?? "" })).toBeUndefined();
    await other.engine.purge("a");
    expect(await other.left()).toBe(0);
    await other.engine.close();
  });
});
