// SPDX-License-Identifier: Apache-2.0

import { type EventRecord, encodeFrames } from "@pawl/protocol";
import { applyOutcome } from "../core/apply-outcome.js";
import { noEntries, withEntry, without } from "../core/fold/sparse.js";
import type { Outcome } from "../core/outcome.js";
import { type OwnedState, type Stall, startRecordOf } from "../core/state.js";
import { hasEnded, hasWorkAtHand } from "../core/status.js";
import {
  chainOf,
  encodeChunk,
  encodeInboxEvent,
  encodeMessage,
  encodeRow,
  joinPieces,
  looksAlike,
  noSeals,
  ownPiece,
  type Piece,
  type Row,
  rowOf,
  type Seals,
} from "../store/codec.js";
import { draftIndexes } from "../store/index/index-writes.js";
import {
  chunkKey,
  inboxKey,
  liveKey,
  outboxKey,
  rowKey,
  type TimerKey,
  timerKey,
} from "../store/key.js";
import { del, mark, put, type StoreWrite } from "../store/store.js";
import type { AskedTask, Effects, Posted, Posting } from "./commit/effects.js";
import type { MailboxHost } from "./commit/mailbox-host.js";
import type { Dirty, Drafted, OpenBatch } from "./journal.js";
import { keepingWrites } from "./retention/older-executions.js";
import { wantedTimers } from "./wanted-timers.js";
import type { TurnWork } from "./work/dispatch.js";
import type { TurnInFlight } from "./work/worker.js";

/** An instance as the disk has it. */
export interface Snapshot {
  readonly row: Row;
  readonly startRecord: EventRecord | undefined;
  readonly endRecord: EventRecord | undefined;
}

/** What is on disk of an instance, as far as the next commit depends on it. */
export interface SavedMarks {
  readonly live: boolean;
  readonly timers: ReadonlyMap<number, TimerKey>;
}

type OwnedSeals = { -readonly [K in keyof Seals]: Seals[K] };

const noWorkers: ReadonlySet<string> = new Set();

/**
 * One live instance: the owner of its state and of what is not on disk yet. All its changes go
 * through `apply`, one after the other; `draft` turns them into writes.
 */
export class Mailbox implements Dirty {
  readonly instanceId: string;
  readonly #host: MailboxHost;
  #state: OwnedState | undefined;
  #seals: OwnedSeals;
  #savedLive: boolean;
  #savedRow: Row | undefined;
  #savedTimers: ReadonlyMap<number, TimerKey>;
  /** Inbox events with a lower sequence number are on disk. */
  #inboxSaved: number;
  /** The lowest sequence number that may still be on disk. */
  #inboxOldest: number;
  #unsaved: Piece[] = [];
  #unsavedBytes = 0;
  #stale: Uint8Array[] = [];
  #extra: StoreWrite[] = [];
  #newTasks: AskedTask[] = [];
  #newPosted: Posted[] = [];
  #newKept: Row[] = [];
  /** History in memory, whole; undefined when it has to be read first. */
  pieces: Piece[] | undefined = [];
  /** Bytes of it that count as cached; undefined: it does not. */
  cachedBytes: number | undefined;
  turn: TurnInFlight | undefined;
  /** A turn is to come: it waits for a worker, is being made, or is tried again later. */
  queued = false;
  /** Its place in the dispatch queue, while it has one. */
  place: TurnWork | undefined;
  /** Bytes of its next turn, where a worker did not take that many; 0: no worker refused it. */
  largeTurnBytes = 0;
  /** Workers that do not have it, or cannot go on with it; no longer once something else has happened. */
  refusedBy: ReadonlySet<string> = noWorkers;
  /** Why one of these cannot go on with it, though it has the workflow. */
  stall: Stall | undefined;
  /** Turns in a row that were given up. */
  failedTurns = 0;
  /** Ends the pause before the next one, while there is one: no turn is to come of that. */
  endPause: (() => void) | undefined;
  /** The worker that ran the last turn. */
  lastWorkerId: string | undefined;
  snapshot: Snapshot | undefined;
  batch: OpenBatch | undefined;
  /** The commit that its newest changes belong to. */
  lastCommit: Promise<void> | undefined;
  /** Changes that are not on disk, and those of them that no draft has. */
  #uncommitted = 0;
  #undrafted = 0;

  constructor(
    instanceId: string,
    host: MailboxHost,
    loaded?: { state: OwnedState; seals: Seals; saved: SavedMarks; snapshot: Snapshot },
  ) {
    this.instanceId = instanceId;
    this.#host = host;
    this.#state = loaded?.state;
    this.#seals = { ...(loaded?.seals ?? noSeals) };
    this.#savedLive = loaded?.saved.live ?? false;
    this.#savedRow = loaded?.snapshot.row;
    this.#savedTimers = loaded?.saved.timers ?? noEntries();
    this.#inboxSaved = this.#seals.inboxNext;
    this.#inboxOldest = this.#seals.inboxFirst;
    this.snapshot = loaded?.snapshot;
  }

  /** The instance; undefined when there is none of this id. */
  get state(): OwnedState | undefined {
    return this.#state;
  }

  /** True when nothing keeps the mailbox in memory. */
  isIdle(): boolean {
    if (this.#uncommitted > 0 || this.turn !== undefined || this.queued) return false;
    return this.#state === undefined || !hasWorkAtHand(this.#state, this.#host.now());
  }

  /** True when a worker has a turn with every event of the inbox. */
  isTurnWhole(): boolean {
    return this.turn !== undefined && this.turn.events.length - 1 === this.#state?.inbox.length;
  }

  /** Every worker may be asked again. */
  forgetRefusals(): void {
    this.refusedBy = noWorkers;
    this.stall = undefined;
  }

  /** Bytes of the whole history, with what the execution may see of those above it. */
  historyBytes(): number {
    const { chunkCount, historyBytes } = this.#seals;
    const unsaved = chunkCount === 0 ? (this.#state?.propagated?.length ?? 0) : 0;
    return historyBytes + unsaved + this.#unsavedBytes;
  }

  /** True while changes are on their way to the disk. */
  isDirty(): boolean {
    return this.#uncommitted > 0;
  }

  /** Carries an outcome out in memory. `extra` writes go into the same commit. */
  apply(outcome: Outcome, extra: readonly StoreWrite[] = []): void {
    // What cannot be encoded throws here, before anything has changed.
    const frames = encodeFrames(outcome.turn?.appended ?? []);
    this.#changed(extra);
    if (outcome.beginning !== undefined) {
      const before = this.#state;
      if (before !== undefined && hasEnded(before) && this.#host.keepsExecutions)
        this.#keep(before);
      else this.#discard();
      this.#restart();
    }
    if (this.#state !== undefined || outcome.beginning !== undefined)
      this.#applyState(outcome, frames);
    for (const message of outcome.messages) {
      this.#newPosted.push({ key: this.#nextKey(), message });
    }
  }

  /** The place of its next message in the outbox. */
  #nextKey(): Uint8Array {
    return outboxKey(this.instanceId, this.#host.nextOutboxSequence());
  }

  #changed(extra: readonly StoreWrite[]): void {
    this.#uncommitted += 1;
    this.#undrafted += 1;
    this.#extra.push(...extra);
  }

  #applyState(outcome: Outcome, frames: Uint8Array): void {
    const state = applyOutcome(this.#state, outcome);
    this.#state = state;
    const { turn } = outcome;
    const seals = this.#seals;
    if (outcome.beginning === undefined) {
      seals.inboxFirst += turn?.consumed ?? 0;
      seals.inboxNext += outcome.accepted.length;
    } else {
      if (seals.inboxNext > 2 ** 31) this.#renumberInbox();
      seals.inboxFirst = seals.inboxNext;
      seals.inboxNext += state.inbox.length;
    }
    if (turn !== undefined) this.#append(turn.appended, frames);
  }

  /** Numbers the inbox anew, in good time: keys have 32 bits, and no execution has as many events. */
  #renumberInbox(): void {
    for (let at = this.#inboxOldest; at < this.#inboxSaved; at += 1)
      this.#stale.push(inboxKey(this.instanceId, at));
    this.#inboxOldest = 0;
    this.#inboxSaved = 0;
    this.#seals.inboxNext = 0;
  }

  /** Deletes the instance with the next commit, which has `extra` writes and what it leaves behind, too. */
  purge(extra: readonly StoreWrite[], postings: readonly Posting[] = []): void {
    this.#changed(extra);
    for (const posting of postings) this.#newPosted.push({ key: this.#nextKey(), ...posting });
    this.#discard();
    this.#restart();
    this.#state = undefined;
  }

  /** An older execution takes the place of the present one, which goes with the next commit. */
  restore(older: { state: OwnedState; seals: Seals }, extra: readonly StoreWrite[]): void {
    this.purge(extra);
    this.#state = older.state;
    const { inboxNext } = this.#seals;
    this.#seals = { ...older.seals, inboxFirst: inboxNext, inboxNext };
    this.pieces = undefined;
  }

  /** The execution before can still be read: its history stays, and its row beside it. */
  #keep(state: OwnedState): void {
    // Its last events may not be on disk yet.
    this.#draftHistory(state, this.#extra);
    const row = rowOf(state, this.#seals, this.#savedRow?.changed ?? 0);
    this.#extra.push(...keepingWrites(this.instanceId, row));
    this.#newKept.push(row);
  }

  /** The history of the execution before goes away. */
  #discard(): void {
    const generation = this.#state?.generation ?? 0;
    for (let chunk = 0; chunk < this.#seals.chunkCount; chunk += 1) {
      this.#stale.push(chunkKey(this.instanceId, generation, chunk));
    }
  }

  /** History begins anew. */
  #restart(): void {
    Object.assign(this.#seals, { chunkCount: 0, chain: 0, historyBytes: 0 });
    this.#unsaved = [];
    this.#unsavedBytes = 0;
    this.largeTurnBytes = 0;
    this.failedTurns = 0;
    this.endPause?.();
    this.pieces = [];
  }

  #append(records: readonly EventRecord[], frames: Uint8Array): void {
    if (records.length === 0) return;
    const piece = { eventCount: records.length, frames };
    this.#unsaved.push(piece);
    this.#unsavedBytes += frames.length;
    this.pieces?.push(ownPiece(piece));
    const state = this.#state;
    if (state === undefined) return;
    // By the time of the commit, the instance may have been continued as new.
    const { executionId } = state;
    for (const record of records) {
      if (record.event.eventType.case !== "taskScheduled") continue;
      const task = state.fold.tasks.get(record.event.eventId);
      if (task?.record === record) this.#newTasks.push({ executionId, task });
    }
  }

  draft(writes: StoreWrite[], change: number): Drafted {
    const state = this.#state;
    for (const key of this.#stale) writes.push(del(key));
    this.#draftInbox(writes);
    const timers = this.#draftTimers(writes);
    for (const posted of this.#newPosted) {
      const message = "order" in posted ? posted.order : posted.message;
      writes.push(put(posted.key, encodeMessage(message)));
    }
    writes.push(...this.#extra);
    this.#draftLive(writes);
    let snapshot: Snapshot | undefined;
    let row: Row | undefined;
    if (state !== undefined) {
      this.#draftHistory(state, writes);
      row = rowOf(state, this.#seals, change);
      if (looksAlike(this.#savedRow, row)) row.changed = this.#savedRow.changed;
      snapshot = { row, startRecord: startRecordOf(state), endRecord: state.fold.endRecord };
      writes.push(put(rowKey(this.instanceId), encodeRow(row)));
    } else if (this.#savedRow !== undefined) {
      writes.push(del(rowKey(this.instanceId)));
    }
    draftIndexes(this.instanceId, this.#savedRow, row, writes);
    const changedId = row?.changed === this.#savedRow?.changed ? undefined : this.instanceId;
    this.#savedRow = row;
    const [tasks, posted, kept] = [this.#newTasks, this.#newPosted, this.#newKept];
    const effects: Effects = { tasks, posted, kept, timers };
    const count = this.#undrafted;
    this.#undrafted = 0;
    this.#stale = [];
    this.#extra = [];
    this.#newTasks = [];
    this.#newPosted = [];
    this.#newKept = [];
    const committed = (): void => {
      this.#uncommitted -= count;
      this.snapshot = snapshot;
      this.#host.committed(this, effects);
    };
    return { changedId, isPurged: row === undefined, committed };
  }

  #draftInbox(writes: StoreWrite[]): void {
    const { inboxFirst, inboxNext } = this.#seals;
    const savedEnd = Math.min(this.#inboxSaved, this.#state === undefined ? inboxNext : inboxFirst);
    for (let sequence = this.#inboxOldest; sequence < savedEnd; sequence += 1) {
      writes.push(del(inboxKey(this.instanceId, sequence)));
    }
    if (this.#state !== undefined) {
      for (let at = Math.max(inboxFirst, this.#inboxSaved); at < inboxNext; at += 1) {
        const record = this.#state.inbox[at - inboxFirst];
        if (record === undefined) throw new Error("the inbox has a hole");
        writes.push(put(inboxKey(this.instanceId, at), encodeInboxEvent(record)));
      }
    }
    this.#inboxOldest = this.#state === undefined ? inboxNext : inboxFirst;
    this.#inboxSaved = inboxNext;
  }

  /** Brings the timers on disk in line with the state; returns those to arm. */
  #draftTimers(writes: StoreWrite[]): readonly TimerKey[] {
    const wanted: ReadonlyMap<number, TimerKey> =
      this.#state === undefined ? noEntries() : wantedTimers(this.#state);
    if (wanted.size === 0 && this.#savedTimers.size === 0) return noTimerKeys;
    const armed: TimerKey[] = [];
    for (const [timerId, saved] of this.#savedTimers) {
      const same = wanted.get(timerId);
      // Also the instant: an id that was purged and used again counts its generations from 1.
      if (same?.generation === saved.generation && same.fireAt === saved.fireAt) continue;
      writes.push(del(timerKey(saved)));
      without(this.#savedTimers, timerId);
    }
    for (const [timerId, timer] of wanted) {
      if (this.#savedTimers.has(timerId)) continue;
      writes.push(mark(timerKey(timer)));
      this.#savedTimers = withEntry(this.#savedTimers, timerId, timer);
      armed.push(timer);
    }
    return armed;
  }

  #draftLive(writes: StoreWrite[]): void {
    const live = this.#state !== undefined && hasWorkAtHand(this.#state, this.#host.now());
    if (live === this.#savedLive) return;
    const key = liveKey(this.instanceId);
    writes.push(live ? mark(key) : del(key));
    this.#savedLive = live;
  }

  #draftHistory(state: OwnedState, writes: StoreWrite[]): void {
    const { propagated } = state;
    if (propagated !== undefined && this.#seals.chunkCount === 0) {
      this.#draftChunk(state, 0, { eventCount: 0, frames: propagated }, writes);
    }
    if (this.#unsaved.length === 0) return;
    const piece = joinPieces(this.#unsaved);
    this.#draftChunk(state, state.fold.eventCount - piece.eventCount, piece, writes);
    this.#unsaved = [];
    this.#unsavedBytes = 0;
  }

  #draftChunk(
    state: OwnedState,
    firstEvent: number,
    { eventCount, frames }: Piece,
    writes: StoreWrite[],
  ): void {
    const { chunkCount } = this.#seals;
    const chain = chainOf(this.#seals.chain, frames);
    const key = chunkKey(this.instanceId, state.generation, chunkCount);
    writes.push(put(key, encodeChunk({ firstEvent, eventCount, chain, frames })));
    this.#seals.chunkCount += 1;
    this.#seals.chain = chain;
    this.#seals.historyBytes += frames.length;
  }
}

const noTimerKeys: readonly TimerKey[] = [];
