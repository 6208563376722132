// SPDX-License-Identifier: Apache-2.0

/**
 * A queue between the engine, which pushes work items, and the stream that takes them to a worker.
 * It holds no more than the items that the worker may have unanswered, which the engine bounds.
 */
export class WorkStream<T> {
  #ready: T[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  /** Adds an item; after `end` it is dropped. */
  push(item: T): void {
    if (!this.#ended) {
      this.#ready.push(item);
      this.#wakeUp();
    }
  }

  /** Ends the stream; what is still queued is dropped. May be called twice. */
  end(): void {
    this.#ended = true;
    this.#ready = [];
    this.#wakeUp();
  }

  /** Waits for items and takes all that are there; `undefined` at the end. For one reader. */
  async take(): Promise<T[] | undefined> {
    while (this.#ready.length === 0) {
      if (this.#ended) {
        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const taken = this.#ready;
    this.#ready = [];
    return taken;
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
