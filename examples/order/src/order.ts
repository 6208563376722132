// SPDX-License-Identifier: Apache-2.0

import { activity, EventTimeoutError, event, NonRetriableError, workflow } from "@pawl/client";

/** What somebody orders. */
export interface Order {
  readonly item: string;
  readonly quantity: number;
  readonly amountCents: number;
  /** How long the shipment may take. @default one week */
  readonly shipWithinSeconds?: number;
}

/** What became of an order. */
export type OrderResult =
  | { readonly status: "confirmed"; readonly carrier: string }
  | { readonly status: "cancelled"; readonly reason: string };

const week = 7 * 24 * 60 * 60;
const cardLimitCents = 100_000;

/** Raised by the warehouse: `{"carrier": "…"}`. */
export const shipped = event<{ readonly carrier: string }>("shipped");

/** Puts the goods aside. */
export const reserve = activity("reserve", async (order: Order, { log, instanceId }) => {
  log.info({ instanceId }, `reserved ${order.quantity} × ${order.item}`);
});

/** Puts the goods back: undoes `reserve`. */
export const release = activity("release", async (order: Order, { log, instanceId }) => {
  log.info({ instanceId }, `released ${order.quantity} × ${order.item}`);
});

/** Takes the money; gives the receipt. The task's id keeps a second attempt from charging twice. */
export const charge = activity("charge", async (order: Order, ctx) => {
  if (order.amountCents > cardLimitCents) {
    throw new NonRetriableError(`card declined: over ${cardLimitCents} cents`);
  }
  ctx.log.info({ instanceId: ctx.instanceId }, `charged ${order.amountCents} cents`);
  return ctx.taskExecutionId;
});

/** Gives the money back: undoes `charge`. */
export const refund = activity("refund", async (receipt: string, { log, instanceId }) => {
  log.info({ instanceId }, `refunded ${receipt}`);
});

/** Tells the customer. */
export const confirm = activity("confirm", async (carrier: string, { log, instanceId }) => {
  log.info({ instanceId }, `confirmed: on its way with ${carrier}`);
});

const retry = { maxAttempts: 5, firstIntervalMs: 1000, backoffCoefficient: 2 };

/** Reserve, charge, wait until it is shipped, confirm; what was done is undone when a step fails. */
export const order = workflow("order", async (ctx, input: Order): Promise<OrderResult> => {
  const undo: (() => Promise<void>)[] = [];
  try {
    ctx.setCustomStatus("reserving");
    await ctx.activity(reserve, input, { retry });
    undo.push(() => ctx.activity(release, input, { retry }));

    ctx.setCustomStatus("charging");
    const receipt = await ctx.activity(charge, input, { retry });
    undo.push(() => ctx.activity(refund, receipt, { retry }));

    ctx.setCustomStatus("waiting for shipment");
    const timeoutMs = (input.shipWithinSeconds ?? week) * 1000;
    const { carrier } = await ctx.waitForEvent(shipped, { timeoutMs });
    await ctx.activity(confirm, carrier, { retry });
    ctx.setCustomStatus("done");
    return { status: "confirmed", carrier };
  } catch (error) {
    ctx.setCustomStatus("undoing");
    for (const step of undo.reverse()) await step();
    ctx.setCustomStatus("done");
    const isLate = error instanceof EventTimeoutError;
    return { status: "cancelled", reason: isLate ? "not shipped in time" : String(error) };
  }
});

/** All that a worker needs to run orders. */
export const definitions = {
  workflows: [order],
  activities: [reserve, release, charge, refund, confirm],
} as const;
