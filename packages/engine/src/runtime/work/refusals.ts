// SPDX-License-Identifier: Apache-2.0

import type { TurnCompletion } from "@pawl/protocol/port";
import type { OwnedState } from "../../core/state.js";
import { hasEnded } from "../../core/status.js";
import type { Mailbox } from "../mailbox.js";
import type { Runtime } from "../runtime.js";
import type { NameKind } from "./repertoire.js";
import type { ActivityWork, Worker } from "./worker.js";

/**
 * Work that a worker gave back because nothing of its name is registered there. Workers of Dapr's SDKs
 * announce no names, so that this is how the engine learns what they have. The work goes to a worker
 * that has not said so; where there is none, to one that had it and has only just gone, once it is
 * back; else the refusal counts, as in Dapr.
 */
export class Refusals {
  readonly #runtime: Runtime;
  /** What waits in dispatch after a refusal. */
  readonly #activities = new Set<ActivityWork>();
  readonly #turns = new Set<Mailbox>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Passes an activity on. False: nobody else will have it, and the refusal is its result. */
  passActivity(work: ActivityWork, worker: Worker): boolean {
    const refusedBy = new Set([...work.refusedBy, worker.workerId]);
    if (!this.#mayGo("activity", work.name, refusedBy)) return false;
    this.returned({ ...work, refusedBy });
    return true;
  }

  /**
   * Looks at the answer to a turn. "passed": it is a refusal, or may be one, and the turn is on its way
   * to another worker. "stalls": so it is, and nobody else will have the turn but a worker that cannot
   * go on with it. "counts": it is none, or nobody else will have the turn at all.
   */
  judge(
    mailbox: Mailbox,
    { workflow }: OwnedState,
    workerId: string,
    completion: TurnCompletion,
  ): "counts" | "passed" | "stalls" {
    const worker = this.#runtime.dispatch.workers.get(workerId);
    const meaning = meaningOf(worker, workflow, completion);
    if (meaning === "ran") {
      worker?.repertoire.show("workflow", workflow);
      return "counts";
    }
    if (meaning === "lacks" && worker !== undefined) this.denied(worker, "workflow", workflow);
    mailbox.refusedBy = new Set([...mailbox.refusedBy, workerId]);
    const mayGo =
      this.#mayGo("workflow", workflow, mailbox.refusedBy) ||
      (meaning === "lacks" && this.#isBackWithSilent(mailbox));
    if (!mayGo) return mailbox.stall === undefined ? "counts" : "stalls";
    worker?.cached.delete(mailbox.instanceId);
    this.#turns.add(mailbox);
    this.#runtime.again(mailbox);
    return "passed";
  }

  /** All others lack the workflow: a worker that said nothing will be taken at its word. */
  #isBackWithSilent(mailbox: Mailbox): boolean {
    const { workers } = this.#runtime.dispatch;
    const silent = [...mailbox.refusedBy].filter((id) => workers.get(id)?.isSilent);
    if (silent.length === 0) return false;
    mailbox.refusedBy = new Set([...mailbox.refusedBy].filter((id) => !silent.includes(id)));
    return true;
  }

  /** A worker lacks a name: work that was left for it goes to others, or comes back to be refused. */
  denied(worker: Worker, kind: NameKind, name: string): void {
    if (worker.repertoire.deny(kind, name)) queueMicrotask(() => this.look());
  }

  /** An activity is to be handed out again, before the others of its name. */
  returned(work: ActivityWork): void {
    if (work.refusedBy.size > 0) this.#activities.add(work);
    this.#runtime.dispatch.addActivity(work, true);
  }

  /** An activity waits no longer. */
  taken(work: ActivityWork): void {
    if (work.refusedBy.size > 0) this.#activities.delete(work);
  }

  /** A worker had a turn after all. */
  ended(mailbox: Mailbox): void {
    if (this.#turns.size > 0) this.#turns.delete(mailbox);
  }

  /**
   * Workers have come or gone, or a wait is over. Work that nobody there can have, and that is waited
   * with no longer, is offered again to those who refused it: their answer counts this time.
   */
  look(): void {
    const { dispatch } = this.#runtime;
    for (const work of [...this.#activities]) {
      if (this.#mayGo("activity", work.name, work.refusedBy)) continue;
      this.#activities.delete(work);
      dispatch.dropActivity(work);
      dispatch.addActivity({ ...work, refusedBy: new Set() }, true);
    }
    for (const mailbox of [...this.#turns]) {
      const { state, place } = mailbox;
      if (state === undefined || hasEnded(state) || isForgotten(mailbox)) {
        this.#turns.delete(mailbox);
      } else if (
        place !== undefined &&
        !this.#mayGo("workflow", state.workflow, mailbox.refusedBy)
      ) {
        this.#turns.delete(mailbox);
        mailbox.forgetRefusals();
        this.#runtime.dequeue(mailbox);
        this.#runtime.again(mailbox);
      }
    }
  }

  /** True when a worker is there that may have it, or one that had it may be back soon. */
  #mayGo(kind: NameKind, name: string, refusedBy: ReadonlySet<string>): boolean {
    const { dispatch, departures } = this.#runtime;
    return dispatch.mayHave(kind, name, refusedBy) || departures.isAwaited(kind, name);
  }
}

/** True when any worker may take the turn again, or a stall says what becomes of it. */
function isForgotten({ refusedBy, stall }: Mailbox): boolean {
  return refusedBy.size === 0 || stall !== undefined;
}

/** What an answer to a turn means: a silent worker's empty one may mean that it lacks the workflow. */
function meaningOf(
  worker: Worker | undefined,
  workflow: string,
  { unregistered, actions, customStatus, version }: TurnCompletion,
): "ran" | "lacks" | "unclear" {
  if (unregistered === workflow) return "lacks";
  if (!worker?.isSilent || worker.repertoire.has("workflow", workflow)) return "ran";
  const isEmpty = actions.length === 0 && customStatus === undefined && version === undefined;
  return isEmpty ? "unclear" : "ran";
}
