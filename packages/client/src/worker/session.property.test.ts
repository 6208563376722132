// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent } from "@pawl/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { history as h } from "../../test/history.js";
import { type Code, code, effectsOf, interpret } from "../../test/random-code.js";
import { describeAction, LoneReplay, silent } from "../../test/replay-of.js";
import type { AnyWorkflow } from "../authoring.js";
import { workflow } from "../definition.js";
import type { Turn, WorkChannel } from "./link/work.js";
import { createRegistry } from "./registry.js";
import type { TurnOutcome } from "./replay/replay.js";
import { Session } from "./session.js";

/** What a turn of an instance is made of: events, some of them answers that are chosen by number. */
type Choice = number | "a" | "B" | "suspend" | "resume" | "terminate";

/** What the server does beside handing out a turn. */
type Fault = "none" | "forgets" | "releases" | "twice" | "replaced";

/** A server with one instance of each workflow, and a session that takes its turns. */
class Server {
  readonly #session: Session;
  readonly #definitions: readonly AnyWorkflow[];
  /** What the session is taken to hold. */
  readonly held = new Set<string>();
  readonly #answered = new Map<string, TurnOutcome | "miss">();
  #turns = 0;
  #whenDrained: (() => void) | undefined;

  constructor(definitions: readonly AnyWorkflow[], cacheLimit: number) {
    this.#definitions = definitions;
    const registry = createRegistry(definitions, []);
    this.#session = new Session({ registry, cacheLimit, logger: silent });
    const channel: WorkChannel = {
      completeTurn: ({ instanceId, token }, outcome) => {
        // The second answer to a turn that came twice changes nothing.
        if (this.#answered.has(token)) return;
        if (outcome.hasEnded) this.held.delete(instanceId);
        else this.held.add(instanceId);
        this.#take(token, outcome);
      },
      missTurn: ({ token }) => this.#take(token, "miss"),
      evict: (instanceId) => void this.held.delete(instanceId),
      completeActivity() {},
      close: async () => {},
      closed: Promise.resolve(),
    };
    this.#session.attach(channel);
  }

  /** Hands out a turn; it is at work when this returns. */
  hand({ id, history }: Instance, events: readonly HistoryEvent[], fault: Fault): string {
    const workflowName = this.#definitions[id]?.name ?? "";
    const instanceId = String(id);
    const isCached = this.held.has(instanceId) && fault !== "forgets";
    if (fault === "releases") {
      this.held.delete(instanceId);
      this.#session.release(instanceId);
    }
    const turn = (): Turn => ({
      ...{ instanceId, executionId: "e", workflow: workflowName, isCached, events },
      token: `t${++this.#turns}`,
      past: () => [...history],
    });
    if (fault === "replaced") this.#session.turn({ ...turn(), isCached: false });
    const last = { ...turn(), ...(fault === "replaced" ? { isCached: false } : {}) };
    this.#session.turn(last);
    if (fault === "twice") this.#session.turn({ ...last, isCached: false });
    return last.token;
  }

  /** Resolves when every turn that was handed out is answered. */
  async drain(): Promise<void> {
    if (this.#answered.size === this.#turns) return;
    await new Promise<void>((resolve) => {
      this.#whenDrained = resolve;
    });
  }

  #take(token: string, answer: TurnOutcome | "miss"): void {
    this.#answered.set(token, answer);
    if (this.#answered.size === this.#turns) this.#whenDrained?.();
  }

  answerTo(token: string): TurnOutcome | "miss" | undefined {
    return this.#answered.get(token);
  }
}

/** What the server keeps of an instance. */
class Instance {
  readonly id: number;
  readonly history: HistoryEvent[] = [];
  readonly #answers: HistoryEvent[][] = [];
  hasEnded = false;

  constructor(id: number) {
    this.id = id;
  }

  eventsOf(turn: number, choices: readonly Choice[]): HistoryEvent[] {
    const inbox = choices.map((choice) => {
      if (choice === "suspend") return h.suspend();
      if (choice === "resume") return h.resume();
      if (choice === "terminate") return h.terminate();
      return typeof choice === "string" ? h.event(choice, choice) : this.#answer(choice);
    });
    const start = turn === 1 ? [h.start(String(this.id))] : [];
    return [h.turn(turn), ...start, ...inbox.filter((event) => event !== undefined)];
  }

  /** As the engine does: the turn's first event says which patches the code has taken. */
  commit(turn: number, events: readonly HistoryEvent[], outcome: TurnOutcome): void {
    const { actions, hasEnded, patches = [] } = outcome;
    this.history.push(h.turn(turn, ...patches), ...events.slice(1));
    this.hasEnded = hasEnded;
    for (const action of hasEnded ? [] : actions) {
      const { recorded, answers } = effectsOf(action);
      this.history.push(recorded);
      if (answers.length > 0) this.#answers.push(answers);
    }
  }

  /** One of the answers that are due; duplicates come now and then. */
  #answer(choice: number): HistoryEvent | undefined {
    const index = choice % Math.max(this.#answers.length, 1);
    const answers = this.#answers[index];
    if (answers === undefined) return undefined;
    if (choice % 5 !== 0) this.#answers.splice(index, 1);
    return answers[choice % answers.length];
  }
}

function definitionOf(piece: Code, id: number): AnyWorkflow {
  return workflow(String(id), async (ctx) => {
    ctx.setCustomStatus(ctx.uuid());
    await interpret(ctx, piece);
    if (ctx.isPatched("p")) return ctx.continueAsNew(1);
    return undefined;
  });
}

const choice: fc.Arbitrary<Choice> = fc.oneof(
  { arbitrary: fc.nat({ max: 1000 }), weight: 8 },
  { arbitrary: fc.constantFrom("a" as const, "B" as const), weight: 3 },
  { arbitrary: fc.constantFrom("suspend" as const, "resume" as const), weight: 1 },
  { arbitrary: fc.constantFrom("terminate" as const), weight: 1 },
);
const fault = fc.constantFrom<Fault[]>(
  "none",
  "none",
  "none",
  "forgets",
  "releases",
  "twice",
  "replaced",
);
const step = fc.record({ choices: fc.array(choice, { maxLength: 4 }), fault });

test("turns that come together get the answers that each gets from a replay by itself", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(code, { minLength: 1, maxLength: 5 }),
      fc.array(fc.array(step, { minLength: 5, maxLength: 5 }), { maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      async (pieces, rounds, cacheLimit) => {
        const definitions = pieces.map(definitionOf);
        const server = new Server(definitions, cacheLimit);
        const instances = definitions.map((_one, id) => new Instance(id));
        for (const [index, steps] of rounds.entries()) {
          await round(server, instances, definitions, index + 1, steps);
          expect(server.held.size).toBeLessThanOrEqual(cacheLimit);
        }
      },
    ),
    { numRuns: 300 },
  );
});

/** One turn of every instance, all handed out at once; what the session missed comes again whole. */
async function round(
  server: Server,
  instances: readonly Instance[],
  definitions: readonly AnyWorkflow[],
  turn: number,
  steps: readonly { readonly choices: readonly Choice[]; readonly fault: Fault }[],
): Promise<void> {
  const handed = instances.flatMap((instance) => {
    const { choices, fault } = steps[instance.id] ?? { choices: [], fault: "none" };
    if (instance.hasEnded) return [];
    const events = instance.eventsOf(turn, turn === 1 ? [] : choices);
    return [{ instance, events, token: server.hand(instance, events, fault) }];
  });
  await server.drain();
  const again = handed.flatMap(({ instance, events, token }) => {
    if (server.answerTo(token) !== "miss") return [];
    server.held.delete(String(instance.id));
    return [{ token, again: server.hand(instance, events, "none") }];
  });
  await server.drain();
  const retried = new Map(again.map(({ token, again: newer }) => [token, newer]));
  for (const { instance, events, token } of handed) {
    const outcome = server.answerTo(retried.get(token) ?? token);
    const definition = definitions[instance.id];
    if (outcome === undefined || outcome === "miss" || definition === undefined) {
      throw new Error("a turn that came whole was not answered");
    }
    const instanceId = String(instance.id);
    const identity = { workflow: definition, instanceId, executionId: "e", log: silent };
    const alone = await new LoneReplay(identity).turn(instance.history, events);
    expect(outcome.actions.map(describeAction)).toEqual(alone.actions.map(describeAction));
    expect([outcome.customStatus, outcome.patches, outcome.hasEnded]).toEqual([
      alone.customStatus,
      alone.patches,
      alone.hasEnded,
    ]);
    instance.commit(turn, events, outcome);
  }
}
