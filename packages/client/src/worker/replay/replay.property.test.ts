// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent, WorkflowAction } from "@pawl/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { history as h } from "../../../test/history.js";
import { describeAction, type LoneReplay, replayOf } from "../../../test/replay-of.js";
import type { AnyWorkflow, WorkflowContext } from "../../authoring.js";
import { workflow } from "../../definition.js";

/** A piece of workflow code, as data. */
type Code =
  | { readonly op: "activity" | "retried" | "child" | "sleep" | "send" | "timedWait" }
  | { readonly op: "wait"; readonly event: "a" | "b" }
  | { readonly op: "seq" | "all" | "race" | "settled"; readonly parts: readonly Code[] };

const leaf: fc.Arbitrary<Code> = fc.oneof(
  fc.record({
    op: fc.constantFrom("activity", "retried", "child", "sleep", "send", "timedWait"),
  }),
  fc.record({ op: fc.constant("wait" as const), event: fc.constantFrom("a", "b") }),
);

const { code } = fc.letrec<{ code: Code }>((tie) => ({
  code: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.record({
      op: fc.constantFrom("seq", "all", "race", "settled"),
      parts: fc.array(tie("code"), { maxLength: 4 }),
    }),
  ),
}));

async function interpret(ctx: WorkflowContext, piece: Code): Promise<unknown> {
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
function effectsOf(action: WorkflowAction): { recorded: HistoryEvent; answers: HistoryEvent[] } {
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

/** Runs an instance with a cached replay and replays its history anew on each turn. */
class TwoWays {
  readonly #workflow: AnyWorkflow;
  readonly #cached: LoneReplay;
  readonly #history: HistoryEvent[] = [];
  readonly #answers: HistoryEvent[][] = [];
  #clock = 0;
  hasEnded = false;

  constructor(definition: AnyWorkflow) {
    this.#workflow = definition;
    this.#cached = replayOf(definition);
  }

  async turn(inbox: readonly HistoryEvent[]): Promise<void> {
    this.#clock += 1;
    const events = [h.turn(this.#clock), ...inbox];
    const cached = await this.#cached.turn([], events);
    const replayed = await replayOf(this.#workflow).turn(this.#history, events);
    expect(replayed.actions.map(describeAction)).toEqual(cached.actions.map(describeAction));
    expect(replayed.customStatus).toEqual(cached.customStatus);
    this.#history.push(...events);
    this.hasEnded = cached.hasEnded;
    for (const action of cached.hasEnded ? [] : cached.actions) {
      const { recorded, answers } = effectsOf(action);
      this.#history.push(recorded);
      if (answers.length > 0) this.#answers.push(answers);
    }
  }

  /** One of the answers that are due, chosen by a number; duplicates come now and then. */
  answer(choice: number): HistoryEvent | undefined {
    const index = choice % Math.max(this.#answers.length, 1);
    const answers = this.#answers[index];
    if (answers === undefined) return undefined;
    if (choice % 5 !== 0) this.#answers.splice(index, 1);
    return answers[choice % answers.length];
  }
}

test("a cached instance and a replay of its history ask for the same, whatever the code", async () => {
  const inputs = fc.array(
    fc.array(
      fc.oneof(
        { arbitrary: fc.nat({ max: 1000 }), weight: 8 },
        { arbitrary: fc.constantFrom("a", "B"), weight: 3 },
        { arbitrary: fc.constantFrom("suspend", "resume"), weight: 1 },
      ),
      { maxLength: 4 },
    ),
    { maxLength: 25 },
  );
  await fc.assert(
    fc.asyncProperty(code, inputs, async (piece, turns) => {
      const interpreted = workflow("interpreted", async (ctx) => {
        ctx.setCustomStatus(ctx.uuid());
        return interpret(ctx, piece);
      });
      const instance = new TwoWays(interpreted);
      await instance.turn([h.start("interpreted")]);
      for (const choices of turns) {
        if (instance.hasEnded) return;
        const inbox = choices.map((choice) => {
          if (choice === "suspend") return h.suspend();
          if (choice === "resume") return h.resume();
          return typeof choice === "string" ? h.event(choice, choice) : instance.answer(choice);
        });
        await instance.turn(inbox.filter((event) => event !== undefined));
      }
    }),
    { numRuns: 300 },
  );
});
