// SPDX-License-Identifier: Apache-2.0

import type { EventRecord, WorkflowAction } from "@pawl/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  child,
  complete,
  continueWith,
  detached,
  fail,
  failure,
  schedule,
  sendEvent,
  timer,
  versionNotAvailable,
} from "../../test/actions.js";
import { PureInstance, startFacts } from "../../test/pure-instance.js";
import { completeActivity } from "./command/complete-activity.js";
import { isStaleTurn } from "./command/complete-turn.js";
import { fireTimer } from "./command/fire-timer.js";
import { raiseEvent } from "./command/raise-event.js";
import { receive } from "./command/receive.js";
import { resume } from "./command/resume.js";
import { start } from "./command/start.js";
import { suspend } from "./command/suspend.js";
import { isTerminating, terminate, terminateNow } from "./command/terminate.js";
import { inboundRecord } from "./event.js";
import { resolutionKey } from "./resolution-key.js";
import { hasEnded } from "./status.js";

/** One random step. `id` chooses among tasks, timers and children; `old` names an earlier execution. */
type Step =
  | { kind: "raise" | "suspend" | "resume" | "terminate" | "terminateNow" | "restart" }
  | { kind: "activity"; id: number; failed: boolean; old: boolean }
  | { kind: "timer" | "child"; id: number; old: boolean }
  | { kind: "beginTurn"; take: number }
  | { kind: "endTurn"; wishes: readonly Wish[] };

type Wish = "activity" | "timer" | "wait" | "child" | "detached" | "event" | End;
type End = "complete" | "fail" | "continue" | "carry" | "version";

const id = fc.nat({ max: 8 });
const wish = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom<Wish>("activity", "timer", "wait", "child") },
  { weight: 2, arbitrary: fc.constantFrom<Wish>("detached", "event") },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Wish>("complete", "fail", "continue", "carry", "version"),
  },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Step>({ kind: "raise" }) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom("suspend", "resume", "terminate", "terminateNow", "restart")
      .map((kind): Step => ({ kind })),
  },
  {
    weight: 5,
    arbitrary: fc
      .record({ id, failed: fc.boolean(), old: fc.boolean() })
      .map((facts): Step => ({ kind: "activity", ...facts })),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom<"timer" | "child">("timer", "child"),
      id,
      old: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.nat({ max: 4 }).map((take): Step => ({ kind: "beginTurn", take })),
  },
  {
    weight: 6,
    arbitrary: fc
      .array(wish, { maxLength: 4 })
      .map((wishes): Step => ({ kind: "endTurn", wishes })),
  },
);

/** An instance under random steps, and what it has to keep to. */
class Run {
  readonly instance = new PureInstance();
  readonly #oldExecutions = ["execution-0"];
  #turn: readonly EventRecord[] | undefined;
  #raised = 0;
  #nextAction = 0;
  /** Numbers of the raised events that turns took, in the order of the turns. */
  readonly #taken: number[] = [];

  do(next: Step): void {
    const { instance } = this;
    const { state, now } = instance;
    switch (next.kind) {
      case "raise":
        this.#raise();
        break;
      case "suspend":
        instance.do(suspend(state, undefined, now));
        break;
      case "resume":
        instance.do(resume(state, undefined, now));
        break;
      case "terminate":
        instance.do(terminate(state, { output: undefined, recursive: true }, now));
        break;
      case "terminateNow":
        this.#terminateNow();
        break;
      case "restart":
        this.#restart();
        break;
      case "beginTurn":
        this.#beginTurn(next.take);
        break;
      case "endTurn":
        this.#endTurn(next.wishes);
        break;
      default:
        this.#result(next);
    }
  }

  check(): void {
    const { state, history } = this.instance;
    expect(this.instance.refold()).toEqual(state.fold);
    const keys = state.inbox.flatMap((record) => resolutionKey(record.event) ?? []);
    expect([...state.arrived].sort()).toEqual([...keys].sort());
    const resolved = [...history, ...state.inbox].flatMap((r) => resolutionKey(r.event) ?? []);
    expect(new Set(resolved).size).toBe(resolved.length);
    const ends = history.filter((r) => r.event.eventType.case === "executionCompleted");
    expect(ends.length).toBe(hasEnded(state) ? 1 : 0);
    // Raised events are taken in order, each once.
    expect(this.#taken).toEqual([...this.#taken].sort((a, b) => a - b));
    expect(new Set(this.#taken).size).toBe(this.#taken.length);
    if (!hasEnded(state)) {
      const waiting = numbersOf(state.inbox).filter((number) => !this.#taken.includes(number));
      expect([...this.#taken, ...waiting]).toHaveLength(this.#raised);
    }
  }

  #raise(): void {
    const { instance } = this;
    const isDropped = hasEnded(instance.state);
    const event = { name: "go", input: `${this.#raised}` };
    instance.do(raiseEvent(instance.state, event, instance.now));
    if (!isDropped) this.#raised += 1;
  }

  #terminateNow(): void {
    const { instance } = this;
    if (this.#turn !== undefined || !isTerminating(instance.state)) return;
    const outcome = terminateNow(instance.state, instance.now);
    this.#note(instance.state.inbox.slice(0, outcome.turn?.consumed ?? 0));
    instance.do(outcome);
  }

  #restart(): void {
    const { instance } = this;
    if (!hasEnded(instance.state)) return;
    this.#oldExecutions.push(instance.state.executionId);
    const executionId = `restarted-${instance.now}`;
    instance.do(start(instance.state, startFacts({ executionId }), instance.now));
    this.#raised = 0;
    this.#taken.length = 0;
    this.#nextAction = 0;
  }

  #beginTurn(take: number): void {
    const { state, now } = this.instance;
    if (this.#turn !== undefined || hasEnded(state) || state.inbox.length === 0) return;
    const started = inboundRecord(now, { case: "workflowStarted", value: {} });
    this.#turn = [started, ...state.inbox.slice(0, take + 1)];
  }

  #endTurn(wishes: readonly Wish[]): void {
    const events = this.#turn;
    if (events === undefined) return;
    this.#turn = undefined;
    const { instance } = this;
    const actions = wishes.map((one) => this.#actionOf(one, events));
    expect(isStaleTurn(instance.state, { actions, version: undefined })).toBe(false);
    const before = instance.state.executionId;
    const outcome = instance.decideTurn(actions, { events });
    if ((outcome.turn?.consumed ?? 0) > 0) this.#note(events);
    instance.do(outcome);
    if (instance.state.executionId === before) return;
    this.#oldExecutions.push(before);
    this.#nextAction = 0;
    // What is carried over is still to come.
    const carried = new Set(numbersOf(instance.state.inbox));
    this.#taken.splice(0, this.#taken.length, ...this.#taken.filter((n) => !carried.has(n)));
  }

  #note(events: readonly EventRecord[]): void {
    this.#taken.push(...numbersOf(events));
  }

  #actionOf(one: Wish, events: readonly EventRecord[]): WorkflowAction {
    const actionId = this.#nextAction++;
    switch (one) {
      case "activity":
        return schedule(actionId, "charge");
      case "timer":
        return timer(actionId, 50);
      case "wait":
        return timer(actionId, 50, "GO");
      case "child":
        return child(actionId, "pay");
      case "detached":
        return detached(actionId, "mail", "mail-1");
      case "event":
        return sendEvent(actionId, "other", "go");
      case "complete":
        return complete(actionId);
      case "fail":
        return fail(actionId, failure("E", "m"));
      case "continue":
        return continueWith(actionId);
      case "carry": {
        // Like a worker that keeps what its code has not taken: the newest of the turn.
        const kept = events.filter((r) => r.event.eventType.case === "eventRaised").slice(-1);
        return continueWith(
          actionId,
          undefined,
          kept.map((record) => record.event),
        );
      }
      case "version":
        return versionNotAvailable(actionId);
    }
  }

  #result(next: Extract<Step, { id: number }>): void {
    const { instance } = this;
    const { state, now } = instance;
    const executionId = (next.old ? this.#oldExecutions.at(-1) : undefined) ?? state.executionId;
    if (next.kind === "activity") {
      const details = next.failed ? failure("E", "m") : undefined;
      const facts = { executionId, taskId: next.id, output: "1", failure: details };
      instance.do(completeActivity(state, facts, now));
    } else if (next.kind === "timer") {
      const generation = next.old ? state.generation - 1 : state.generation;
      instance.do(fireTimer(state, { generation, timerId: next.id, fireAt: 50 }, now));
    } else {
      const value = { taskScheduledId: next.id };
      const record = inboundRecord(now, { case: "childWorkflowInstanceCompleted", value });
      const message = { targetId: state.instanceId, targetExecutionId: executionId, record };
      instance.do(receive(state, message, now));
    }
  }
}

/** The numbers of the raised events among these. */
function numbersOf(records: readonly EventRecord[]): number[] {
  return records.flatMap(({ event: { eventType } }) =>
    eventType.case === "eventRaised" ? [Number(eventType.value.input)] : [],
  );
}

describe("an instance under random commands, turns and results", () => {
  test("keeps to its invariants after every step", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
        const run = new Run();
        run.check();
        for (const next of steps) {
          run.do(next);
          run.check();
        }
      }),
      { numRuns: 500 },
    );
  });
});
