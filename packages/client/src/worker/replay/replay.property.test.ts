// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent } from "@pawl/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { history as h } from "../../../test/history.js";
import { code, effectsOf, interpret } from "../../../test/random-code.js";
import { describeAction, type LoneReplay, replayOf } from "../../../test/replay-of.js";
import type { AnyWorkflow } from "../../authoring.js";
import { workflow } from "../../definition.js";

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
