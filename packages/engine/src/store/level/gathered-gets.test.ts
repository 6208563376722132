// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { GatheredGets, type KeyReader } from "./gathered-gets.js";

const keyOf = (number: number): Uint8Array => Uint8Array.of(number >>> 8, number & 0xff);
const numberOf = (key: Uint8Array): number => ((key[0] ?? 0) << 8) | (key[1] ?? 0);

/** Has every even number; the key of `broken` cannot be read. Notes how many keys each call has. */
class Numbers implements KeyReader {
  readonly calls: number[] = [];
  readonly #broken: number | undefined;

  constructor(broken?: number) {
    this.#broken = broken;
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.calls.push(1);
    return this.#valueOf(key);
  }

  getMany(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.calls.push(keys.length);
    return Promise.all(keys.map((key) => this.#valueOf(key)));
  }

  async #valueOf(key: Uint8Array): Promise<Uint8Array | undefined> {
    if (numberOf(key) === this.#broken) throw new Error("a block cannot be read");
    return numberOf(key) % 2 === 0 ? key : undefined;
  }
}

describe("GatheredGets", () => {
  test("reads what is asked for in one go together, and answers each with its own", async () => {
    const numbers = new Numbers();
    const gets = new GatheredGets(numbers, "tick");
    const values = await Promise.all([6, 5, 4, 6].map((one) => gets.get(keyOf(one))));
    expect(values.map((value) => value && numberOf(value))).toEqual([6, undefined, 4, 6]);
    expect(numbers.calls).toEqual([4]);
    expect(await gets.get(keyOf(8))).toEqual(keyOf(8));
    expect(numbers.calls).toEqual([4, 1]);
  });

  test("reads together what the ticks of one round ask for, where it gathers until that is over", async () => {
    const numbers = new Numbers();
    const gets = new GatheredGets(numbers, "round");
    const asked: Promise<Uint8Array | undefined>[] = [];
    for (const one of [6, 5, 4]) process.nextTick(() => asked.push(gets.get(keyOf(one))));
    await new Promise(setImmediate);
    const values = await Promise.all(asked);
    expect(values.map((value) => value && numberOf(value))).toEqual([6, undefined, 4]);
    expect(numbers.calls).toEqual([3]);
  });

  test("reads very many in several calls", async () => {
    const numbers = new Numbers();
    const gets = new GatheredGets(numbers, "tick");
    const all = Array.from({ length: 300 }, (_, at) => 2 * at);
    const values = await Promise.all(all.map((one) => gets.get(keyOf(one))));
    expect(values.map((value) => value && numberOf(value))).toEqual(all);
    expect(numbers.calls).toEqual([128, 128, 44]);
  });

  test("hides no other key behind one that cannot be read", async () => {
    const gets = new GatheredGets(new Numbers(4), "tick");
    const settled = await Promise.allSettled([2, 3, 4, 6].map((one) => gets.get(keyOf(one))));
    expect(settled.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
  });
});
