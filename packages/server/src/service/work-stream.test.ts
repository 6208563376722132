// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { WorkStream } from "./work-stream.js";

describe("WorkStream", () => {
  test("gives all items that are ready at once", async () => {
    const stream = new WorkStream<number>();
    stream.push(1);
    stream.push(2);

    expect(await stream.take()).toEqual([1, 2]);
  });

  test("waits for the next item", async () => {
    const stream = new WorkStream<number>();
    const taken = stream.take();

    stream.push(1);

    expect(await taken).toEqual([1]);
  });

  test("wakes a waiting reader at its end", async () => {
    const stream = new WorkStream<number>();
    const taken = stream.take();

    stream.end();
    stream.end();

    expect(await taken).toBeUndefined();
  });

  test("drops what comes after its end", async () => {
    const stream = new WorkStream<number>();
    stream.push(1);
    stream.end();
    stream.push(2);

    expect(await stream.take()).toBeUndefined();
  });
});
