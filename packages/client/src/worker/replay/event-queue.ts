// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent } from "@pawl/protocol";

/** Takes the event that it waited for. */
export type EventTaker = (event: HistoryEvent) => void;

interface Buffered {
  readonly event: HistoryEvent;
  readonly order: number;
}

/**
 * External events that nobody took yet, and waits that nothing came for yet: first in, first out
 * by name, names without regard to case (engine semantics 7.3). Of one name there is always only
 * one of the two.
 */
export class EventQueue {
  /** Made when something is put into them: most executions wait for no event. */
  #buffered: Map<string, Set<Buffered>> | undefined;
  #waits: Map<string, Set<EventTaker>> | undefined;
  #arrivals = 0;

  /** Hands an event to the oldest wait for its name (true), or keeps it (false). */
  arrive(name: string, event: HistoryEvent): boolean {
    const taker = shift(this.#waits, name.toLowerCase());
    if (taker === undefined) this.keep(name, event);
    else taker(event);
    return taker !== undefined;
  }

  /** Keeps an event, whoever waits. */
  keep(name: string, event: HistoryEvent): void {
    this.#arrivals += 1;
    this.#buffered ??= new Map();
    add(this.#buffered, name.toLowerCase(), { event, order: this.#arrivals });
  }

  /** The oldest event of this name that nobody took. */
  take(name: string): HistoryEvent | undefined {
    return shift(this.#buffered, name.toLowerCase())?.event;
  }

  /** Waits for the next event of this name. */
  wait(name: string, taker: EventTaker): void {
    this.#waits ??= new Map();
    add(this.#waits, name.toLowerCase(), taker);
  }

  /** Ends a wait. */
  cancel(name: string, taker: EventTaker): void {
    const key = name.toLowerCase();
    const waits = this.#waits?.get(key);
    waits?.delete(taker);
    if (waits?.size === 0) this.#waits?.delete(key);
  }

  /** The events that nobody took, in the order of their arrival. */
  unconsumed(): HistoryEvent[] {
    if (this.#buffered === undefined) return [];
    return [...this.#buffered.values()]
      .flatMap((events) => [...events])
      .sort((left, right) => left.order - right.order)
      .map(({ event }) => event);
  }
}

function add<T>(queues: Map<string, Set<T>>, key: string, item: T): void {
  const queue = queues.get(key);
  if (queue === undefined) queues.set(key, new Set([item]));
  else queue.add(item);
}

function shift<T>(queues: Map<string, Set<T>> | undefined, key: string): T | undefined {
  const queue = queues?.get(key);
  if (queues === undefined || queue === undefined) return undefined;
  for (const item of queue) {
    queue.delete(item);
    if (queue.size === 0) queues.delete(key);
    return item;
  }
  return undefined;
}
