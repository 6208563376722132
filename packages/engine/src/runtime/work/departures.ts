// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "../clock.js";
import type { NameKind } from "./repertoire.js";

/** The names that a worker had, of each kind. */
export type WorkerNames = Readonly<Record<NameKind, ReadonlySet<string>>>;

/** A wait for the return of a worker. */
interface Wait {
  /** Names that no later one waits for. */
  nameCount: number;
  readonly cancel: () => void;
}

const nameKinds: readonly NameKind[] = ["workflow", "activity"];

/**
 * What workers had that have gone, and may be back soon: a restarted worker, or all of them after the
 * server itself was started again. A name is awaited from the last worker that left with it, so that
 * there are never more timers than names, however often workers come and go. The wait is a length: a
 * clock that is set makes it neither longer nor shorter.
 */
export class Departures {
  readonly #clock: Clock;
  readonly #waitMs: () => number;
  readonly #onOver: () => void;
  /** For each name the newest wait. */
  readonly #waits = { workflow: new Map<string, Wait>(), activity: new Map<string, Wait>() };
  #cancelAny: (() => void) | undefined;
  #isClosed = false;

  /** `onOver` is called when names are awaited no more. */
  constructor(clock: Clock, waitMs: () => number, onOver: () => void) {
    this.#clock = clock;
    this.#waitMs = waitMs;
    this.#onOver = onOver;
  }

  /** A worker with these names has gone. */
  leave(gone: WorkerNames): void {
    const nameCount = gone.workflow.size + gone.activity.size;
    if (nameCount === 0) return;
    const cancel = this.#delay(() => this.#end(gone, wait));
    if (cancel === undefined) return;
    const wait: Wait = { nameCount, cancel };
    for (const kind of nameKinds) {
      const waits = this.#waits[kind];
      for (const name of gone[kind]) {
        const earlier = waits.get(name);
        if (earlier !== undefined) {
          earlier.nameCount -= 1;
          if (earlier.nameCount === 0) earlier.cancel();
        }
        waits.set(name, wait);
      }
    }
  }

  /** Nobody is connected yet, and there may be work of before for anybody. */
  leaveAll(): void {
    this.#cancelAny?.();
    this.#cancelAny = this.#delay(() => {
      this.#cancelAny = undefined;
      this.#onOver();
    });
  }

  /** True while the return of a worker with this name is waited for. */
  isAwaited(kind: NameKind, name: string): boolean {
    return this.#cancelAny !== undefined || this.#waits[kind].has(name);
  }

  /** From now on no wait begins, and none ends: what is awaited stays so. */
  close(): void {
    this.#isClosed = true;
    this.#cancelAny?.();
    for (const kind of nameKinds) for (const { cancel } of this.#waits[kind].values()) cancel();
  }

  /** Calls back after the wait; undefined when nobody is waited for. */
  #delay(onOver: () => void): (() => void) | undefined {
    const waitMs = this.#waitMs();
    if (this.#isClosed || waitMs <= 0) return undefined;
    return this.#clock.setDelay(waitMs, onOver);
  }

  #end(gone: WorkerNames, wait: Wait): void {
    for (const kind of nameKinds) {
      const waits = this.#waits[kind];
      for (const name of gone[kind]) if (waits.get(name) === wait) waits.delete(name);
    }
    this.#onOver();
  }
}
