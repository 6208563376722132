// SPDX-License-Identifier: Apache-2.0

import { createTestEnvironment, type TestEnvironment } from "@pawl/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { definitions, order, shipped } from "./order.js";

const book = { item: "book", quantity: 1, amountCents: 1200 };
const week = 7 * 24 * 60 * 60 * 1000;

let env: TestEnvironment<typeof definitions.activities>;

beforeEach(async () => {
  env = await createTestEnvironment(definitions);
});

afterEach(async () => {
  await env.close();
});

describe("an order", () => {
  test("is reserved, charged, shipped and confirmed", async () => {
    const handle = await env.start(order, book);
    await env.idle();
    expect((await handle.get())?.customStatus).toBe("waiting for shipment");
    await handle.raiseEvent(shipped, { carrier: "post" });
    expect(await handle.result()).toEqual({ status: "confirmed", carrier: "post" });
    expect(env.calls("confirm")).toMatchObject([{ input: "post" }]);
    expect(env.calls("release")).toEqual([]);
  });

  test("is refunded and released when it is not shipped within a week", async () => {
    const startedAt = env.clock.now();
    const handle = await env.start(order, book);
    expect(await handle.result()).toEqual({ status: "cancelled", reason: "not shipped in time" });
    expect(env.clock.now() - startedAt).toBe(week);
    expect(env.calls("refund")).toMatchObject([{ input: env.calls("charge")[0]?.output }]);
    expect(env.calls("release")).toHaveLength(1);
  });

  test("is released when the card is declined, at the first attempt", async () => {
    const handle = await env.start(order, { ...book, amountCents: 200_000 });
    expect(await handle.result()).toEqual({
      status: "cancelled",
      reason: expect.stringContaining("card declined"),
    });
    expect(env.calls("charge")).toHaveLength(1);
    expect(env.calls("release")).toHaveLength(1);
    expect(env.calls("refund")).toEqual([]);
  });

  test("is charged once more, with the same key, when the network fails", async () => {
    let attempts = 0;
    env.replace("charge", (_order, { taskExecutionId }) => {
      attempts += 1;
      if (attempts < 3) throw new Error("no network");
      return taskExecutionId;
    });
    const handle = await env.start(order, book);
    await handle.raiseEvent(shipped, { carrier: "post" });
    expect(await handle.result()).toEqual({ status: "confirmed", carrier: "post" });
    expect(new Set(env.calls("charge").map(({ taskExecutionId }) => taskExecutionId)).size).toBe(1);
  });
});
