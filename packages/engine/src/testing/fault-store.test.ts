// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { openMemoryStore } from "../store/memory-store.js";
import { put, type Store, type StoreWrite } from "../store/store.js";
import { FaultStore } from "./fault-store.js";
import { storeSuite } from "./store.suite.js";

const key = Uint8Array.of(1);
const putting = (value: number): StoreWrite[] => [put(key, Uint8Array.of(value))];

async function valueIn(store: Store): Promise<number | undefined> {
  return (await store.get(key))?.[0];
}

/** True when the promise has not settled once everything else has had its turn. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let turn = 0; turn < 5; turn += 1) await nextTick();
  return !settled;
}

describe("FaultStore without faults", () =>
  storeSuite(async () => (await FaultStore.over(openMemoryStore)).open(), { describe, test }));

describe("FaultStore", () => {
  test("counts calls and shows what was written", async () => {
    const faults = await FaultStore.over(openMemoryStore);
    const batches: (readonly StoreWrite[])[] = [];
    faults.onWritten = (batch) => batches.push(batch);
    const store = await faults.open();
    await store.write(putting(1));
    await store.get(key);
    await store.range({ gte: key, lt: Uint8Array.of(2) });
    expect([faults.callCount("write"), faults.callCount("get"), faults.callCount()]).toEqual([
      1, 1, 3,
    ]);
    expect(batches).toEqual([putting(1)]);
  });

  test("fails the nth call of a kind, once", async () => {
    const faults = await FaultStore.over(openMemoryStore);
    const store = await faults.open();
    faults.failNext(2, "error", ["get"]);
    await store.write(putting(1));
    expect(await valueIn(store)).toBe(1);
    await expect(store.get(key)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await valueIn(store)).toBe(1);
  });

  test("takes no write that follows the one under way while it is closed", async () => {
    const faults = await FaultStore.over(openMemoryStore);
    const store = await faults.open();
    const gate = faults.hold("write");
    const first = store.write(putting(1));
    const closed = store.close();
    await expect(store.write(putting(2))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    gate.release();
    await Promise.all([first, closed]);
    expect(await valueIn(await faults.open())).toBe(1);
  });

  test("takes no writes after a failed one until it is opened again", async () => {
    const faults = await FaultStore.over(openMemoryStore);
    const store = await faults.open();
    faults.failNext(1, "error");
    await expect(store.write(putting(1))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await expect(store.write(putting(2))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await store.close();
    const again = await faults.open();
    expect(await valueIn(again)).toBeUndefined();
    await again.write(putting(3));
    expect(await valueIn(again)).toBe(3);
  });

  test("can fail a write that took effect", async () => {
    const faults = await FaultStore.over(openMemoryStore);
    faults.failNext(1, "error-after", ["write"]);
    await expect((await faults.open()).write(putting(1))).rejects.toThrow("after a write");
    expect(await valueIn(await faults.open())).toBe(1);
  });

  test("answers nothing and keeps nothing once the power is cut", async () => {
    const faults = await FaultStore.over(openMemoryStore);
    const store = await faults.open();
    await store.write(putting(1));
    faults.failNext(1, "cut", ["write"]);
    expect(await isPending(store.write(putting(2)))).toBe(true);
    expect(faults.isCut()).toBe(true);
    expect(await isPending(store.get(key))).toBe(true);
    faults.restore();
    expect(await isPending(store.get(key))).toBe(true);
    expect(await valueIn(await faults.open())).toBe(1);
  });

  test("holds calls back until they are let go", async () => {
    const faults = await FaultStore.over(openMemoryStore);
    const store = await faults.open();
    const gate = faults.hold("write");
    const writing = store.write(putting(1));
    expect(await isPending(writing)).toBe(true);
    expect(gate.waiting()).toBe(1);
    expect(await valueIn(store)).toBeUndefined();
    gate.release();
    await writing;
    expect(await valueIn(store)).toBe(1);
  });

  test("fails opens", async () => {
    const faults = await FaultStore.over(openMemoryStore);
    faults.failOpens(1);
    await expect(faults.open()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await faults.open();
    expect(faults.openCount()).toBe(2);
  });
});
