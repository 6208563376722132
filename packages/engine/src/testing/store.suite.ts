// SPDX-License-Identifier: Apache-2.0

import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { del, put, type Store } from "../store/store.js";

/** The two functions of a test runner that the suite needs; Vitest's, Mocha's and Node's all do. */
export interface SuiteRunner {
  describe(name: string, define: () => void): void;
  test(name: string, run: () => Promise<void>): void;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const text = (value: string): Uint8Array => Buffer.from(value, "utf8");
/** All keys; those from here on are a store's own, and not the caller's. */
const all = { gte: bytes(), lt: bytes(0xff, 0xff) };

async function keysOf(store: Store, range: Parameters<Store["range"]>[0]): Promise<number[][]> {
  return (await store.range(range)).map(([key]) => [...key]);
}

/**
 * What every store has to do, as tests. `open` gives an empty store; the suite closes it.
 */
export function storeSuite(open: () => Promise<Store>, { describe, test }: SuiteRunner): void {
  /** A test with a store of its own. */
  const withStore = (name: string, run: (store: Store) => Promise<void>): void =>
    test(name, async () => {
      const store = await open();
      try {
        await run(store);
      } finally {
        await store.close();
      }
    });
  describe("get()", () => readTests(withStore));
  describe("write()", () => writeTests(withStore));
  describe("range()", () => rangeTests(withStore));
  describe("snapshot()", () => snapshotTests(withStore));
  describe("close()", () => closeTests(open, test));
}

type StoreTest = (name: string, run: (store: Store) => Promise<void>) => void;

function readTests(test: StoreTest): void {
  test("has nothing under a key that was not written", async (store) => {
    equal(await store.get(bytes(1)), undefined);
  });

  test("gives back the bytes that were written", async (store) => {
    const value = bytes(0, 255, 1, 254);
    await store.write([put(bytes(1), value)]);
    deepEqual([...((await store.get(bytes(1))) ?? [])], [...value]);
  });

  test("tells an empty value from none", async (store) => {
    await store.write([put(bytes(1), bytes())]);
    equal((await store.get(bytes(1)))?.length, 0);
  });

  test("tells apart keys of which one begins the other", async (store) => {
    await store.write([put(bytes(1), text("a")), put(bytes(1, 0), text("b"))]);
    equal(Buffer.from((await store.get(bytes(1))) ?? []).toString(), "a");
    equal(Buffer.from((await store.get(bytes(1, 0))) ?? []).toString(), "b");
  });

  test("keeps a value of a megabyte", async (store) => {
    const value = Buffer.alloc(1024 * 1024, 7);
    await store.write([put(bytes(1), value)]);
    equal(Buffer.compare(Buffer.from((await store.get(bytes(1))) ?? []), value), 0);
  });
}

function writeTests(test: StoreTest): void {
  test("replaces and deletes", async (store) => {
    await store.write([put(bytes(1), text("old")), put(bytes(2), text("gone"))]);
    await store.write([put(bytes(1), text("new")), del(bytes(2)), del(bytes(3))]);
    equal(Buffer.from((await store.get(bytes(1))) ?? []).toString(), "new");
    equal(await store.get(bytes(2)), undefined);
  });

  test("carries the writes of a batch out in order", async (store) => {
    await store.write([put(bytes(1), text("a")), del(bytes(1)), put(bytes(1), text("b"))]);
    equal(Buffer.from((await store.get(bytes(1))) ?? []).toString(), "b");
    await store.write([put(bytes(1), text("c")), del(bytes(1))]);
    equal(await store.get(bytes(1)), undefined);
  });

  test("takes an empty batch", async (store) => {
    await store.write([]);
    deepEqual(await store.range(all), []);
  });

  test("takes a batch of ten thousand", async (store) => {
    const batch = Array.from({ length: 10_000 }, (_, index) =>
      put(bytes(index >> 8, index & 255), bytes(index & 255)),
    );
    await store.write(batch);
    equal((await store.range(all)).length, 10_000);
  });

  test("shows every batch that has resolved", async (store) => {
    for (let round = 0; round < 20; round += 1) {
      await store.write([put(bytes(1), bytes(round)), put(bytes(2, round), bytes(round))]);
      equal((await store.get(bytes(1)))?.[0], round);
      equal((await store.range({ gte: bytes(2), lt: bytes(3) })).length, round + 1);
    }
  });

  test("shows a batch whole or not at all", async (store) => {
    await store.write([put(bytes(1), bytes(0)), put(bytes(2), bytes(0))]);
    for (let round = 1; round <= 20; round += 1) {
      const writing = store.write([put(bytes(1), bytes(round)), put(bytes(2), bytes(round))]);
      const seen = await store.range(all);
      equal(seen[0]?.[1][0], seen[1]?.[1][0]);
      await writing;
    }
  });
}

function rangeTests(test: StoreTest): void {
  const fill = (store: Store): Promise<void> =>
    store.write(
      [bytes(2), bytes(1, 255), bytes(1), bytes(255), bytes(1, 0), bytes(10)].map((key) =>
        put(key, key),
      ),
    );

  test("is in the order of bytes", async (store) => {
    await fill(store);
    deepEqual(await keysOf(store, all), [[1], [1, 0], [1, 255], [2], [10], [255]]);
  });

  test("has the lower bound and not the upper one", async (store) => {
    await fill(store);
    const range = { gte: bytes(1, 0), lt: bytes(10) };
    deepEqual(await keysOf(store, range), [[1, 0], [1, 255], [2]]);
  });

  test("gives key and value of each entry", async (store) => {
    await store.write([put(bytes(1), text("a"))]);
    const [[key, value] = [bytes(), bytes()]] = await store.range(all);
    deepEqual([...key], [1]);
    equal(Buffer.from(value).toString(), "a");
  });

  test("stops at the limit", async (store) => {
    await fill(store);
    deepEqual(await keysOf(store, { ...all, limit: 2 }), [[1], [1, 0]]);
    deepEqual(await keysOf(store, { ...all, limit: 100 }), await keysOf(store, all));
  });

  test("goes from the end when it is reversed", async (store) => {
    await fill(store);
    deepEqual(await keysOf(store, { ...all, reverse: true, limit: 2 }), [[255], [10]]);
  });

  test("is empty where nothing is", async (store) => {
    await fill(store);
    deepEqual(await store.range({ gte: bytes(3), lt: bytes(9) }), []);
    deepEqual(await store.range({ gte: bytes(9), lt: bytes(3) }), []);
  });
}

function snapshotTests(test: StoreTest): void {
  test("has what was written before, and nothing that was written since", async (store) => {
    await store.write([put(bytes(1), text("old")), put(bytes(2), text("gone"))]);
    const moment = store.snapshot();
    await store.write([put(bytes(1), text("new")), del(bytes(2)), put(bytes(3), text("more"))]);
    equal(Buffer.from((await moment.get(bytes(1))) ?? []).toString(), "old");
    equal(await moment.get(bytes(3)), undefined);
    const seen = await moment.range(all);
    deepEqual(
      seen.map(([key, value]) => [...key, Buffer.from(value).toString()]),
      [
        [1, "old"],
        [2, "gone"],
      ],
    );
    deepEqual(await keysOf(store, all), [[1], [3]]);
    await moment.close();
  });

  test("stays as it is beside a later one", async (store) => {
    await store.write([put(bytes(1), bytes(1))]);
    const first = store.snapshot();
    await store.write([put(bytes(1), bytes(2))]);
    const second = store.snapshot();
    await store.write([put(bytes(1), bytes(3))]);
    deepEqual([...((await first.get(bytes(1))) ?? [])], [1]);
    deepEqual([...((await second.get(bytes(1))) ?? [])], [2]);
    await first.close();
    deepEqual([...((await second.get(bytes(1))) ?? [])], [2]);
    await second.close();
  });

  test("may be closed twice", async (store) => {
    const moment = store.snapshot();
    await moment.close();
    await moment.close();
  });
}

function closeTests(open: () => Promise<Store>, test: SuiteRunner["test"]): void {
  test("may be called twice", async () => {
    const store = await open();
    await store.close();
    await store.close();
  });

  test("waits for the write that is under way", async () => {
    const store = await open();
    let written = false;
    const writing = store.write([put(bytes(1), bytes(1))]).then(() => {
      written = true;
    });
    await store.close();
    equal(written, true);
    await writing;
  });

  test("takes no write that follows the one under way", async () => {
    const store = await open();
    const first = store.write([put(bytes(1), bytes(1))]);
    const second = first.then(() => store.write([put(bytes(2), bytes(2))]));
    const closed = store.close();
    await rejects(second, { code: "STORE_UNAVAILABLE" });
    await closed;
  });

  test("ends reads and writes with STORE_UNAVAILABLE", async () => {
    const store = await open();
    await store.close();
    await rejects(store.write([put(bytes(1), bytes(1))]), { code: "STORE_UNAVAILABLE" });
    await rejects(store.get(bytes(1)), { code: "STORE_UNAVAILABLE" });
    await rejects(store.range(all), { code: "STORE_UNAVAILABLE" });
    throws(() => store.snapshot(), { code: "STORE_UNAVAILABLE" });
  });
}
