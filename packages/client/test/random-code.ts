// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent, WorkflowAction } from "@pawl/protocol";
import fc from "fast-check";
import type { WorkflowContext } from "../src/authoring.js";
import { history as h } from "./history.js";

/** A piece of workflow code, as data. */
export type Code =
  | { readonly op: "activity" | "retried" | "child" | "sleep" | "send" | "timedWait" }
  | { readonly op: "wait"; readonly event: "a" | "b" }
  | { readonly op: "seq" | "all" | "race" | "settled"; readonly parts: readonly Code[] };

const leaf: fc.Arbitrary<Code> = fc.oneof(
  fc.record({
    op: fc.constantFrom("activity", "retried", "child", "sleep", "send", "timedWait"),
  }),
  fc.record({ op: fc.constant("wait" as const), event: fc.constantFrom("a", "b") }),
);

/** Any code. */
export const { code } = fc.letrec<{ code: Code }>((tie) => ({
  code: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.record({
      op: fc.constantFrom("seq", "all", "race", "settled"),
      parts: fc.array(tie("code"), { maxLength: 4 }),
    }),
  ),
}));

/** Runs a piece of code. */
export async function interpret(ctx: WorkflowContext, piece: Code): Promise<unknown> {
  switch (piece.op) {
    case "activity":
      return ctx.activity("act", 1).catch((error: unknown) => String(error));
    case "retried":
      return ctx
        .activity("act", 1, { retry: { maxAttempts: 3, firstIntervalMs: 1 } })
        .catch((error: unknown) => String(error));
    case "child":
      return ctx.child("kid").catch((error: unknown) => String(error));
    case "sleep":
      return ctx.sleep(5);
    case "send":
      return ctx.sendEvent("other", "ping");
    case "timedWait":
      return ctx.waitForEvent("a", { timeoutMs: 10 }).catch(() => "late");
    case "wait":
      return ctx.waitForEvent(piece.event);
    case "seq": {
      const results: unknown[] = [];
      for (const part of piece.parts) results.push(await interpret(ctx, part));
      return results;
    }
    case "all":
      return Promise.all(piece.parts.map((part) => interpret(ctx, part)));
    case "race":
      return piece.parts.length === 0
        ? undefined
        : Promise.race(piece.parts.map((part) => interpret(ctx, part)));
    case "settled":
      return Promise.allSettled(piece.parts.map((part) => interpret(ctx, part)));
  }
}

/** What history records of an action, and the events that may answer it later. */
export function effectsOf(action: WorkflowAction): {
  recorded: HistoryEvent;
  answers: HistoryEvent[];
} {
  const { id, workflowActionType: type } = action;
  switch (type.case) {
    case "scheduleTask":
      return {
        recorded: h.activity(id, type.value.name, type.value.taskExecutionId),
        answers: [h.activityDone(id, id), h.activityFailed(id)],
      };
    case "createChildWorkflow":
      return {
        recorded: h.child(id, type.value.name, type.value.instanceId),
        answers: [h.childDone(id, id), h.childFailed(id, "Oops")],
      };
    case "sendEvent":
      return { recorded: h.eventSent(id, "other", type.value.name), answers: [] };
    case "createTimer": {
      const { origin, name } = type.value;
      if (origin.case === "externalEvent") {
        const answers = origin.value.name === "a" ? [h.timerFired(id)] : [];
        return { recorded: h.eventTimer(id, 9, origin.value.name), answers };
      }
      if (origin.case === "activityRetry") {
        return { recorded: h.retryTimer(id, 9, name ?? ""), answers: [h.timerFired(id)] };
      }
      return { recorded: h.timer(id, 9), answers: [h.timerFired(id)] };
    }
    default:
      throw new Error(`unexpected ${type.case}`);
  }
}
