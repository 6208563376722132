// SPDX-License-Identifier: Apache-2.0

import { setImmediate as nextTick } from "node:timers/promises";
import type { WorkflowAction } from "@pawl/protocol";
import type { TurnItem } from "@pawl/protocol/port";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readRow } from "../src/runtime/loader.js";
import { openMemoryStore } from "../src/store/memory-store.js";
import type { Store, StoreWrite } from "../src/store/store.js";
import { problemsOf } from "../src/testing/check-store.js";
import { FaultStore } from "../src/testing/fault-store.js";
import {
  child,
  complete,
  continueWith,
  detached,
  schedule,
  sendEvent,
  terminateOther,
  timer,
  versionNotAvailable,
} from "./actions.js";
import type { ManualClock } from "./manual-clock.js";
import { EngineUnderTest } from "./open-engine.js";
import type { ScriptedWorker } from "./scripted-worker.js";

const ids = ["a", "b", "c"] as const;
const instanceId = fc.constantFrom(...ids);
const wishes = [
  "activity",
  "timer",
  "wait",
  "child",
  "detached",
  "event",
  "terminate",
  "complete",
  "continue",
  "version",
] as const;

type Wish = (typeof wishes)[number];

type Step =
  | { kind: "start"; id: string; delayed: boolean }
  | { kind: "raise" | "suspend" | "resume" | "terminate" | "purge"; id: string }
  | { kind: "turn"; wishes: Wish[] }
  | { kind: "activity" | "time" | "settle" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .record({ id: instanceId, delayed: fc.boolean() })
      .map((facts): Step => ({ kind: "start", ...facts })),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("raise", "raise", "suspend", "resume", "terminate", "purge"),
      id: instanceId,
    }),
  },
  {
    weight: 8,
    arbitrary: fc
      .array(fc.constantFrom(...wishes), { maxLength: 3 })
      .map((list): Step => ({ kind: "turn", wishes: list })),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom("activity", "time", "settle").map((kind): Step => ({ kind })),
  },
);

/** Something that was acknowledged once so many batches were written. */
interface Fact {
  readonly batches: number;
  readonly id: string;
  /** What has to be in one of them. */
  readonly text: string;
}

/** An engine under random steps; keeps every batch that was written, and when. */
class Recording {
  readonly under: EngineUnderTest;
  readonly worker: ScriptedWorker;
  readonly batches: { readonly writes: readonly StoreWrite[]; readonly now: number }[] = [];
  readonly facts: Fact[] = [];
  readonly #calls: Promise<unknown>[] = [];
  readonly #nextAction = new Map<string, number>();
  readonly #answered = new Set<string>();
  #raised = 0;

  private constructor(under: EngineUnderTest) {
    this.under = under;
    this.worker = under.connect({});
    under.faults.onWritten = (writes) => {
      this.batches.push({ writes: [...writes], now: under.clock.now() });
    };
  }

  static async open(): Promise<Recording> {
    return new Recording(await EngineUnderTest.open());
  }

  async do(next: Step): Promise<void> {
    const { engine, clock } = this.under;
    switch (next.kind) {
      case "start":
        this.#start(next.id, next.delayed ? clock.now() + 150 : 0);
        break;
      case "raise":
        this.#raise(next.id);
        break;
      case "suspend":
        this.#call(engine.suspend(next.id));
        break;
      case "resume":
        this.#call(engine.resume(next.id));
        break;
      case "terminate":
        this.#call(engine.terminate(next.id));
        break;
      case "purge":
        this.#call(engine.purge(next.id, { force: true }));
        break;
      case "turn":
        this.#turn(next.wishes);
        break;
      case "activity":
        this.#activity();
        break;
      case "time":
        clock.advance(100);
        break;
      case "settle":
        await ticks(20);
    }
    await ticks(1);
  }

  async finish(): Promise<void> {
    await Promise.all(this.#calls);
    await ticks(30);
  }

  #start(id: string, startAt: number): void {
    const started = this.under.engine.start({ workflow: "w", instanceId: id, startAt });
    this.#call(started.then(({ executionId }) => this.#note(id, executionId)));
  }

  #raise(id: string): void {
    const text = `event ${this.#raised++}.`;
    this.#call(this.under.engine.raiseEvent(id, "go", text).then(() => this.#note(id, text)));
  }

  #note(id: string, text: string): void {
    this.facts.push({ batches: this.batches.length, id, text });
  }

  /** What is refused, and what becomes stale, is as good as what is not. */
  #call(call: Promise<unknown>): void {
    this.#calls.push(call.catch(() => {}));
  }

  #turn(asked: readonly Wish[]): void {
    const turn = this.worker.turns.find(({ token }) => !this.#answered.has(token));
    if (turn === undefined) return;
    this.#answered.add(turn.token);
    this.#call(
      this.worker.completeTurn(
        turn,
        asked.map((one) => this.#actionOf(one, turn)),
      ),
    );
  }

  #activity(): void {
    const activity = this.worker.activities.find(({ token }) => !this.#answered.has(token));
    if (activity === undefined) return;
    this.#answered.add(activity.token);
    this.#call(this.worker.completeActivity(activity, { output: "1" }));
  }

  #actionOf(one: Wish, turn: TurnItem): WorkflowAction {
    const number = this.#nextAction.get(turn.executionId) ?? 0;
    this.#nextAction.set(turn.executionId, number + 1);
    const at = this.under.clock.now() + 150;
    switch (one) {
      case "activity":
        return schedule(number, "charge");
      case "timer":
        return timer(number, at);
      case "wait":
        return timer(number, at, "go");
      case "child":
        return child(number, "w", ids[number % ids.length]);
      case "detached":
        return detached(number, "w", ids[number % ids.length] ?? "a");
      case "event":
        return sendEvent(number, ids[number % ids.length] ?? "a", "go");
      case "terminate":
        return terminateOther(number, ids[number % ids.length] ?? "a");
      case "complete":
        return complete(number);
      case "continue":
        return continueWith(number);
      default:
        return versionNotAvailable(number);
    }
  }
}

async function ticks(count: number): Promise<void> {
  for (let tick = 0; tick < count; tick += 1) await nextTick();
}

/** A store with what an engine wrote up to some moment. */
async function storeOf(batches: Recording["batches"]): Promise<Store> {
  const store = await openMemoryStore();
  for (const { writes } of batches) await store.write(writes);
  return store;
}

/** Acknowledged facts that were not on disk by then; an instance that is gone or ended has none. */
async function lostFacts({ batches, facts }: Recording): Promise<Fact[]> {
  const lost: Fact[] = [];
  for (const fact of facts) {
    const before = batches.slice(0, fact.batches);
    const text = Buffer.from(fact.text);
    const isWritten = before.some(({ writes }) =>
      writes.some((write) => write.type === "put" && Buffer.from(write.value).includes(text)),
    );
    if (isWritten) continue;
    const row = await readRow(await storeOf(before), fact.id);
    if (row !== undefined && row.completedAt === 0) lost.push(fact);
  }
  return lost;
}

/** From what was on disk at some moment, another engine brings everything to rest. */
async function bringToRest(batches: Recording["batches"], clock: ManualClock): Promise<string[]> {
  const faults = await FaultStore.over(() => storeOf(batches));
  const { engine } = await EngineUnderTest.open({}, faults, clock);
  // A start that is still on its way would make its instance anew after the end that comes next.
  await engine.idle();
  const { instances } = await engine.list();
  for (const { instanceId: id } of instances) await engine.terminate(id);
  for (const { instanceId: id } of instances) await engine.waitForCompletion(id);
  await engine.idle();
  await engine.close();
  return problemsOf(faults.behind, clock.now());
}

test("a crash after any write leaves a legal state with every acknowledged fact", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60, size: "max" }),
      fc.nat(),
      async (steps, chosen) => {
        const recording = await Recording.open();
        for (const next of steps) await recording.do(next);
        await recording.finish();
        const { batches, under } = recording;
        const store = await openMemoryStore();
        for (const { writes, now } of batches) {
          await store.write(writes);
          expect(await problemsOf(store, now, { messages: true })).toEqual([]);
        }
        expect(await lostFacts(recording)).toEqual([]);
        const prefix = batches.slice(0, chosen % (batches.length + 1));
        expect(await bringToRest(prefix, under.clock)).toEqual([]);
      },
    ),
    { numRuns: 100, timeout: 60_000 },
  );
}, 120_000);
