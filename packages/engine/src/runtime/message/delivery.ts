// SPDX-License-Identifier: Apache-2.0

import { type EventRecord, TurnoverMap } from "@pawl/protocol";
import { droppedStart, receive, refuseStart } from "../../core/command/receive.js";
import { rethrowUnavailable } from "../../errors.js";
import { isDamage } from "../../store/damaged.js";
import { del } from "../../store/store.js";
import type { Posted, PostedMessage } from "../commit/effects.js";
import { purgeChild } from "../purge.js";
import type { Runtime } from "../runtime.js";
import { isOutdated, lookBelow } from "../subtree.js";
import { Tally } from "../tally.js";

/**
 * Brings messages from the outbox to their targets: both in one commit, so exactly once. Messages for one
 * target arrive in the order in which they are delivered.
 */
export class Delivery {
  readonly #runtime: Runtime;
  /** For each target of messages on their way, when the last of them has arrived. */
  readonly #arriving = new TurnoverMap<string, Promise<void>>();
  /** Starts of children on their way, by child and the execution that asked for it. */
  readonly #starting = new Tally();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Resolves when the messages that are on their way to an instance have arrived. */
  async arrived(instanceId: string): Promise<void> {
    await this.#arriving.get(instanceId);
  }

  /** True while the start of a child, asked for by this execution, is on its way. */
  isStarting(instanceId: string, parentExecutionId: string): boolean {
    return this.#starting.of(startKey(instanceId, parentExecutionId)) > 0;
  }

  /** Brings a message, which is on disk, to its target, after those that it was given before. */
  deliver(posted: Posted): void {
    const failed = "a message cannot be delivered";
    if ("order" in posted) {
      const { targetId } = posted.order;
      const taken = this.#inTurn(targetId, () => purgeChild(this.#runtime, posted));
      const purged = taken.then((order) => order.purged);
      posted.onDelivered?.(purged);
      void this.#runtime.track(purged, failed, targetId);
      return;
    }
    const { targetId, record } = posted.message;
    const start = childStartOf(targetId, record);
    if (start !== undefined) this.#starting.add(start);
    const onArrived = (): void => {
      if (start !== undefined) this.#starting.remove(start);
    };
    const arrival = this.#inTurn(targetId, () => this.#receive(posted), onArrived);
    const durable = arrival.then((received) => received.durable);
    void this.#runtime.track(durable, failed, targetId);
  }

  /** Receives what comes to a target after what came before. */
  #inTurn<T>(targetId: string, receive: () => Promise<T>, onArrived = (): void => {}): Promise<T> {
    const before = this.#arriving.get(targetId) ?? Promise.resolve();
    const arrival = before.then(receive);
    // What the store failed to read is not overtaken: once it is open again, all are delivered anew.
    const settled = arrival.then(() => {}, rethrowUnavailable);
    this.#arriving.set(targetId, settled);
    const leave = (): void => {
      onArrived();
      if (this.#arriving.get(targetId) === settled) this.#arriving.delete(targetId);
    };
    settled.then(leave, () => {});
    return arrival;
  }

  /** A child that cannot start for what is damaged fails its parent's task, as on any taken id. */
  async #receive(posted: PostedMessage): Promise<{ durable: Promise<void> }> {
    try {
      return await this.#accept(posted);
    } catch (error) {
      const now = this.#runtime.now();
      const message = isDamage(error) && refuseStart(posted.message, error.message, now);
      if (!message) throw error;
      return this.#accept({ key: posted.key, message });
    }
  }

  /** Puts a message into its target's inbox; the next one need not wait until it is on disk. */
  async #accept({ key, message }: PostedMessage): Promise<{ durable: Promise<void> }> {
    const runtime = this.#runtime;
    const { targetId, record } = message;
    const isStart = record.event.eventType.case === "executionStarted";
    for (;;) {
      const below = isStart ? await lookBelow(runtime, targetId) : undefined;
      const received = await runtime.mailboxes.run(targetId, (target) => {
        if (below !== undefined && isOutdated(below, target.state)) return undefined;
        const outcome = receive(target.state, message, runtime.now(), below?.active);
        const workflow = droppedStart(message, outcome);
        if (workflow !== undefined) {
          const text = "a detached workflow was not started: its id is taken";
          runtime.options.logger.warn({ instanceId: targetId, workflow }, text);
        }
        return { durable: runtime.apply(target, outcome, [del(key)]) };
      });
      if (received !== undefined) return received;
    }
  }
}

/** The start of a child, as `isStarting` asks for it; undefined for any other message. */
function childStartOf(targetId: string, { event }: EventRecord): string | undefined {
  const { eventType } = event;
  if (eventType.case !== "executionStarted") return undefined;
  const executionId = eventType.value.parentInstance?.workflowInstance?.executionId;
  return executionId === undefined ? undefined : startKey(targetId, executionId);
}

function startKey(instanceId: string, parentExecutionId: string): string {
  return `${instanceId}\0${parentExecutionId}`;
}
