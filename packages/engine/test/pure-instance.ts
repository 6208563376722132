// SPDX-License-Identifier: Apache-2.0

import type { EventRecord, WorkflowAction } from "@pawl/protocol";
import { applyEvent } from "../src/core/apply-event.js";
import { applyOutcome } from "../src/core/apply-outcome.js";
import { completeActivity } from "../src/core/command/complete-activity.js";
import { completeTurn, type TurnFacts } from "../src/core/command/complete-turn.js";
import { type StartFacts, start } from "../src/core/command/start.js";
import { inboundRecord } from "../src/core/event.js";
import type { Outcome } from "../src/core/outcome.js";
import { emptyFold, type HistoryFold, type OwnedState } from "../src/core/state.js";

/** Facts of a plain start, with `more` in their place. */
export function startFacts(more: Partial<StartFacts> = {}): StartFacts {
  return {
    instanceId: "order-1",
    workflow: "order",
    executionId: "execution-1",
    input: undefined,
    startAt: 0,
    tags: {},
    enforceUniqueInstanceId: false,
    traceContext: undefined,
    ...more,
  };
}

/** One instance, driven through the core alone; it keeps the history that a store would keep. */
export class PureInstance {
  state: OwnedState;
  history: EventRecord[] = [];
  /** Goes up by one with each step, so that events have instants of their own. */
  now = 1000;
  #ids = 0;

  constructor(facts: Partial<StartFacts> = {}) {
    this.state = applyOutcome(undefined, start(undefined, startFacts(facts), this.now));
  }

  /** An instance whose first turn asked for these actions. */
  static after(actions: readonly WorkflowAction[], facts: Partial<StartFacts> = {}): PureInstance {
    const instance = new PureInstance(facts);
    instance.turn(actions);
    return instance;
  }

  /** Carries an outcome out, and gives it back. */
  do(outcome: Outcome): Outcome {
    this.state = applyOutcome(this.state, outcome);
    if (outcome.beginning !== undefined) this.history = [];
    this.history.push(...(outcome.turn?.appended ?? []));
    this.now += 1;
    return outcome;
  }

  /** What a turn with these actions comes to; `take` bounds the inbox events that it gets. */
  decideTurn(
    actions: readonly WorkflowAction[],
    more: Partial<TurnFacts> & { readonly take?: number } = {},
  ): Outcome {
    const { take, ...facts } = more;
    const started = inboundRecord(this.now, { case: "workflowStarted", value: {} });
    const events = [started, ...this.state.inbox.slice(0, take)];
    const createId = (): string => `id-${++this.#ids}`;
    const base: TurnFacts = {
      events,
      actions,
      customStatus: undefined,
      version: undefined,
      createId,
    };
    return completeTurn(this.state, { ...base, ...facts }, this.now);
  }

  /** Runs a turn with these actions. */
  turn(
    actions: readonly WorkflowAction[],
    more: Partial<TurnFacts> & { readonly take?: number } = {},
  ): Outcome {
    return this.do(this.decideTurn(actions, more));
  }

  /** Takes an activity's result into the inbox. */
  activity(taskId: number, output?: string, executionId = this.state.executionId): Outcome {
    const facts = { executionId, taskId, output, failure: undefined };
    return this.do(completeActivity(this.state, facts, this.now));
  }

  /** The fold of the kept history. */
  refold(): HistoryFold {
    const fold = emptyFold();
    for (const record of this.history) applyEvent(fold, record);
    return fold;
  }
}

/** Kinds of events, in order. */
export function kindsOf(records: readonly EventRecord[]): (string | undefined)[] {
  return records.map((record) => record.event.eventType.case);
}
