// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openEngine, verifyFolder } from "../src/index.js";
import { indexKinds } from "../src/store/index/index-key.js";
import {
  chunkKey,
  inboxKey,
  kindPrefix,
  kindRange,
  liveKey,
  outboxKey,
  partitions,
  rowKey,
  startTimerId,
  timerKey,
} from "../src/store/key.js";
import { openLevelStore } from "../src/store/level-store.js";
import { del, put, type Store } from "../src/store/store.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pawl-verify-"));
  const engine = await openEngine({ dataDir: join(folder, "data") });
  // Nobody runs them: the first waits, the second is ended without a worker.
  await engine.start({ workflow: "order", instanceId: "waiting" });
  await engine.start({ workflow: "order", instanceId: "ended" });
  await engine.terminate("ended");
  await engine.close();
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("verifyFolder()", () => {
  test("counts the instances and events of a sound folder", async () => {
    const seen: number[] = [];
    const report = await verifyFolder(join(folder, "data"), (instances) => seen.push(instances));
    expect(report).toEqual({ instances: 2, events: 4, damaged: [], lost: [], indexFaults: [] });
    expect(seen.at(-1)).toBe(2);
  });

  test("names each damaged instance with its reason", async () => {
    const store = await openLevelStore(join(folder, "data"));
    await store.write([del(chunkKey("ended", 1, 0)), del(inboxKey("waiting", 0))]);
    await store.close();
    const { instances, damaged } = await verifyFolder(join(folder, "data"));
    expect(instances).toBe(2);
    expect(damaged.map(({ instanceId }) => instanceId).sort()).toEqual(["ended", "waiting"]);
    expect(damaged[0]?.reason).toContain("the store is damaged");
  });

  test("names what has nothing on disk to wake it, and a message that cannot be read", async () => {
    const data = join(folder, "data");
    const engine = await openEngine({ dataDir: data });
    const startAt = Date.now() + 3_600_000;
    await engine.start({ workflow: "order", instanceId: "later", startAt });
    await engine.close();
    const store = await openLevelStore(data);
    const timer = { instanceId: "later", generation: 1, timerId: startTimerId, fireAt: startAt };
    await store.write([
      del(liveKey("waiting")),
      del(timerKey(timer)),
      put(outboxKey("sender", 7), Uint8Array.of(0xff, 0xff)),
    ]);
    await store.close();
    const { damaged } = await verifyFolder(data);
    expect(
      Object.fromEntries(damaged.map(({ instanceId, reason }) => [instanceId, reason])),
    ).toEqual({
      waiting: "the mark that it has work at hand is missing",
      later: expect.stringContaining("a timer that would wake it at"),
      sender: expect.stringContaining("cannot be decoded"),
    });
  });

  test("has nothing to say of a damaged instance once it is purged by force", async () => {
    const store = await openLevelStore(join(folder, "data"));
    await store.write([del(inboxKey("waiting", 0))]);
    await store.close();
    const engine = await openEngine({ dataDir: join(folder, "data") });
    await expect(engine.purge("waiting")).rejects.toMatchObject({ code: "INSTANCE_DAMAGED" });
    expect(await engine.purge("waiting", { force: true })).toBe(1);
    expect(await engine.get("waiting")).toBeUndefined();
    await engine.close();
    const report = await verifyFolder(join(folder, "data"));
    expect(report).toEqual({ instances: 1, events: 4, damaged: [], lost: [], indexFaults: [] });
  });

  test("refuses a path without Pawl data and makes nothing there", async () => {
    await expect(verifyFolder(join(folder, "nothing"))).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(await readdir(folder)).toEqual(["data"]);
  });
});

describe("verifyFolder() with rebuildIndexes", () => {
  const rebuild = (data: string) => verifyFolder(data, () => {}, { rebuildIndexes: true });
  const sound = { instances: 2, damaged: [], lost: [], indexFaults: [] };

  test("makes what is missing, removes what is too much, and keeps what is right", async () => {
    const data = join(folder, "data");
    const store = await openLevelStore(data);
    const before = await indexEntries(store);
    expect(before.length).toBeGreaterThan(4);
    const value = Buffer.from("spoilt");
    const [missing, spoilt, moved] = before;
    if (missing === undefined || spoilt === undefined || moved === undefined) throw new Error();
    const stale = Buffer.from(moved);
    stale[9] = (stale[9] ?? 0) ^ 1;
    const garbage = Buffer.concat([kindPrefix("tag", 3), Buffer.from([0xff, 0, 0xff])]);
    await store.write([del(missing), put(spoilt, value), put(stale, value), put(garbage, value)]);
    await store.close();
    const { indexFaults = [] } = await verifyFolder(data);
    expect(indexFaults.length).toBeGreaterThanOrEqual(3);

    expect(await rebuild(data)).toMatchObject(sound);
    expect(await verifyFolder(data)).toMatchObject(sound);
    const after = await openLevelStore(data);
    expect(await indexEntries(after)).toEqual(before);
    await after.close();
  });

  test("makes all of them when there are none", async () => {
    const data = join(folder, "data");
    const store = await openLevelStore(data);
    const before = await indexEntries(store);
    await store.write(before.map(del));
    await store.close();
    expect(await rebuild(data)).toMatchObject(sound);
    const engine = await openEngine({ dataDir: data });
    const { instances } = await engine.list({ statuses: ["terminated"], workflow: "order" });
    expect(instances.map(({ instanceId }) => instanceId)).toEqual(["ended"]);
    await engine.close();
  });

  test("goes by the rows alone: one that cannot be read has no entries, and is told", async () => {
    const data = join(folder, "data");
    const store = await openLevelStore(data);
    await store.write([put(rowKey("ended"), Buffer.from([0xff]))]);
    await store.close();
    const { damaged, indexFaults } = await rebuild(data);
    expect(damaged.map(({ instanceId }) => instanceId)).toEqual(["ended"]);
    expect(indexFaults).toEqual([]);
    const after = await openLevelStore(data);
    // One by status and one by update, of the other one.
    expect(await indexEntries(after)).toHaveLength(2);
    await after.close();
  });

  test("refuses a folder that is in use, and one without data", async () => {
    const data = join(folder, "data");
    const engine = await openEngine({ dataDir: data });
    await expect(rebuild(data)).rejects.toMatchObject({ code: "STORE_LOCKED" });
    await engine.close();
    await expect(rebuild(join(folder, "nothing"))).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });
});

/** The keys of all index entries. */
async function indexEntries(store: Store): Promise<Uint8Array[]> {
  const keys: Uint8Array[] = [];
  for (const partition of partitions) {
    for (const kind of indexKinds) {
      for (const [key] of await store.range(kindRange(kind, partition))) keys.push(key);
    }
  }
  return keys;
}
