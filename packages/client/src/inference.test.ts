// SPDX-License-Identifier: Apache-2.0

import { describe, expectTypeOf, test } from "vitest";
import type { InputOf, OutputOf, WorkflowContext } from "./authoring.js";
import type { Client } from "./client.js";
import { activity, event, workflow } from "./definition.js";
import type { Handle } from "./handle.js";

interface Order {
  readonly id: string;
  readonly amount: number;
}

const reserve = activity("reserve", async (order: Order) => order.id.length);
const ping = activity("ping", () => "pong");
const shipped = event<{ readonly carrier: string }>("shipped");
const nudge = event("nudge");
const order = workflow("order", async (ctx, input: Order) => {
  const count = await ctx.activity(reserve, input);
  return { count, id: input.id };
});
const nightly = workflow("nightly", async (ctx) => {
  await ctx.sleep(1);
});

// Never called: only its types are looked at.
async function useClient(client: Client): Promise<void> {
  const handle = await client.start(order, { id: "1", amount: 2 });
  expectTypeOf(handle).toEqualTypeOf<Handle<{ count: number; id: string }>>();
  expectTypeOf(await handle.result()).toEqualTypeOf<{ count: number; id: string }>();
  // @ts-expect-error the input is required
  await client.start(order);
  // @ts-expect-error the input has another type
  await client.start(order, { id: 1 });
  await client.start(nightly);
  expectTypeOf(await (await client.start("by-name", 1)).result()).toEqualTypeOf<unknown>();
  expectTypeOf(client.handle("1", order)).toEqualTypeOf<Handle<{ count: number; id: string }>>();
  expectTypeOf(client.handle("1")).toEqualTypeOf<Handle<unknown>>();
  await handle.raiseEvent(shipped, { carrier: "x" });
  await handle.raiseEvent(nudge);
  // @ts-expect-error the payload has another type
  await client.raiseEvent("1", shipped, { carrier: 1 });
  // @ts-expect-error the payload is required
  await client.raiseEvent("1", shipped);
}

// Never called: only its types are looked at.
async function useContext(ctx: WorkflowContext): Promise<void> {
  expectTypeOf(await ctx.activity(reserve, { id: "", amount: 0 })).toEqualTypeOf<number>();
  expectTypeOf(await ctx.activity(ping)).toEqualTypeOf<string>();
  expectTypeOf(await ctx.activity("by-name")).toEqualTypeOf<unknown>();
  // @ts-expect-error the input has another type
  await ctx.activity(reserve, 1);
  expectTypeOf(await ctx.child(order, { id: "", amount: 0 })).toHaveProperty("count");
  expectTypeOf(await ctx.child(nightly)).toEqualTypeOf<void>();
  expectTypeOf(await ctx.waitForEvent(shipped)).toEqualTypeOf<{ readonly carrier: string }>();
  expectTypeOf(
    await Promise.all([ctx.activity(ping), ctx.activity(reserve, { id: "", amount: 0 })]),
  ).toEqualTypeOf<[string, number]>();
  ctx.sendEvent("1", shipped, { carrier: "x" });
  // @ts-expect-error the payload has another type
  ctx.sendEvent("1", shipped, 1);
}

describe("types", () => {
  test("flow from the definitions", () => {
    expectTypeOf(order.name).toEqualTypeOf<"order">();
    expectTypeOf<InputOf<typeof order>>().toEqualTypeOf<Order>();
    expectTypeOf<OutputOf<typeof reserve>>().toEqualTypeOf<number>();
    expectTypeOf<InputOf<typeof reserve>>().toEqualTypeOf<Order>();
    expectTypeOf(useClient).toBeFunction();
    expectTypeOf(useContext).toBeFunction();
  });

  test("let continueAsNew end a workflow of any output", () => {
    const looping = workflow("looping", async (ctx, n: number): Promise<string> => {
      if (n > 3) return "done";
      return ctx.continueAsNew(n + 1);
    });
    expectTypeOf<OutputOf<typeof looping>>().toEqualTypeOf<string>();
  });
});
