// SPDX-License-Identifier: Apache-2.0

import { TurnoverMap } from "@pawl/protocol";
import type { Replay } from "./replay/replay.js";

/** What a worker knows of one instance: its latest turn in flight, or its replay until the next one. */
export class Seat {
  readonly instanceId: string;
  /** The token of the latest turn; absent: the instance has been let go. */
  token: string | undefined;
  replay: Replay | undefined;
  /** Its neighbours among the seats whose replays are held, by when their last turns ended. */
  before: Seat | undefined;
  after: Seat | undefined;

  constructor(instanceId: string) {
    this.instanceId = instanceId;
  }
}

/**
 * The instances that a worker holds between turns, bounded by their count: past it, the one whose
 * last turn is longest ago is let go. One look-up serves a turn from its beginning to its end.
 */
export class InstanceCache {
  readonly #limit: number;
  readonly #seats = new TurnoverMap<string, Seat>();
  #heldCount = 0;
  #oldest: Seat | undefined;
  #newest: Seat | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A turn begins: it replaces another of its instance that is still in flight. */
  begin(instanceId: string, token: string): Seat {
    let seat = this.#seats.get(instanceId);
    if (seat === undefined) {
      seat = new Seat(instanceId);
      this.#seats.set(instanceId, seat);
    }
    seat.token = token;
    return seat;
  }

  /** Takes out what is held of an instance, if it is of this execution. */
  take(seat: Seat, executionId: string): Replay | undefined {
    const { replay } = seat;
    if (replay === undefined) return undefined;
    this.#unlink(seat);
    return replay.executionId === executionId ? replay : undefined;
  }

  /** Holds an instance; returns the id of the one that it displaced, if any. */
  put(seat: Seat, replay: Replay): string | undefined {
    // A turn that came twice is answered twice.
    if (seat.replay !== undefined) this.#unlink(seat);
    this.#link(seat, replay);
    if (this.#heldCount <= this.#limit || this.#oldest === undefined) return undefined;
    const { instanceId } = this.#oldest;
    this.delete(instanceId);
    return instanceId;
  }

  /** Lets an instance go, and what a turn in flight will leave of it. */
  delete(instanceId: string): void {
    const seat = this.#seats.get(instanceId);
    if (seat === undefined) return;
    if (seat.replay !== undefined) this.#unlink(seat);
    seat.token = undefined;
    this.#seats.delete(instanceId);
  }

  #link(seat: Seat, replay: Replay): void {
    seat.replay = replay;
    seat.before = this.#newest;
    if (this.#newest === undefined) this.#oldest = seat;
    else this.#newest.after = seat;
    this.#newest = seat;
    this.#heldCount += 1;
  }

  #unlink(seat: Seat): void {
    const { before, after } = seat;
    if (before === undefined) this.#oldest = after;
    else before.after = after;
    if (after === undefined) this.#newest = before;
    else after.before = before;
    seat.replay = undefined;
    seat.before = undefined;
    seat.after = undefined;
    this.#heldCount -= 1;
  }
}
