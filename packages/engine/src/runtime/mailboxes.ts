// SPDX-License-Identifier: Apache-2.0

import { TurnoverMap } from "@pawl/protocol";
import { hasEnded, sleepsUntil } from "../core/status.js";
import type { ResolvedOptions } from "../options.js";
import type { Piece } from "../store/codec.js";
import { isDamage } from "../store/damaged.js";
import type { Store } from "../store/store.js";
import type { MailboxHost } from "./commit/mailbox-host.js";
import { loadMailbox, piecesOf, readHistory } from "./loader.js";
import { Mailbox } from "./mailbox.js";

/** What sleeps longer than this is let go at once: it would be garbage of the old generation by then. */
const napMs = 10_000;

/**
 * The mailboxes of the instances that are in memory. Any other is read from the store when it is
 * needed, and let go when it is idle.
 */
export class Mailboxes {
  readonly #store: Store;
  readonly #host: MailboxHost;
  readonly #historyBytes: number;
  readonly #idleLimit: number;
  readonly #live = new TurnoverMap<string, Mailbox>();
  readonly #loading = new TurnoverMap<string, Promise<Mailbox>>();
  /** Idle ones, the longest idle first. */
  readonly #idle = new TurnoverMap<string, Mailbox>();
  /** Those whose history is in memory, the longest unused first, and its bytes in all. */
  readonly #cached = new TurnoverMap<string, Mailbox>();
  #cachedBytes = 0;
  /** Told of each instance that was read, before anybody gets it. */
  onLoaded: (mailbox: Mailbox) => void = () => {};

  constructor(
    store: Store,
    host: MailboxHost,
    limits: Pick<ResolvedOptions, "historyCacheBytes" | "idleInstances">,
  ) {
    this.#store = store;
    this.#host = host;
    this.#historyBytes = limits.historyCacheBytes;
    this.#idleLimit = limits.idleInstances;
  }

  /** The mailbox of an instance that is in memory. */
  peek(instanceId: string): Mailbox | undefined {
    return this.#live.get(instanceId);
  }

  /** The mailbox of an id that is known to be new. */
  fresh(instanceId: string): Mailbox {
    const mailbox = this.#live.get(instanceId) ?? new Mailbox(instanceId, this.#host);
    this.#live.set(instanceId, mailbox);
    return mailbox;
  }

  /**
   * Runs `use` on an instance's mailbox, reading it first where needed. What `use` does
   * before it returns is done in one go: no other command comes between.
   * @throws INSTANCE_DAMAGED, STORE_UNAVAILABLE, and what `use` throws
   */
  run<T>(instanceId: string, use: (mailbox: Mailbox) => T | Promise<T>): Promise<T> {
    const mailbox = this.#live.get(instanceId);
    return mailbox === undefined ? this.#loadAndRun(instanceId, use) : this.#use(mailbox, use);
  }

  async #loadAndRun<T>(instanceId: string, use: (mailbox: Mailbox) => T | Promise<T>): Promise<T> {
    const loaded = await this.#load(instanceId);
    // Who came first may have let it go again, unchanged: it is taken up for this one.
    const mailbox = this.#live.get(instanceId) ?? loaded;
    this.#live.set(instanceId, mailbox);
    return this.#use(mailbox, use);
  }

  /** Gives on the promise that `use` gives: most of them are one and the same, of their commit. */
  #use<T>(mailbox: Mailbox, use: (mailbox: Mailbox) => T | Promise<T>): Promise<T> {
    try {
      const used = use(mailbox);
      return used instanceof Promise ? used : Promise.resolve(used);
    } catch (error) {
      return Promise.reject(error);
    } finally {
      this.settle(mailbox);
    }
  }

  /** Lets a mailbox go, now or later, if nothing keeps it in memory. */
  settle(mailbox: Mailbox): void {
    if (this.#idle.size > 0) this.#idle.delete(mailbox.instanceId);
    if (!mailbox.isIdle() || this.#live.get(mailbox.instanceId) !== mailbox) return;
    const { state } = mailbox;
    if (state === undefined || hasEnded(state) || sleepsUntil(state) > this.#host.now() + napMs) {
      this.#drop(mailbox);
      return;
    }
    this.#idle.set(mailbox.instanceId, mailbox);
    if (this.#idle.size > this.#idleLimit) {
      const [oldest] = this.#idle.values();
      if (oldest !== undefined) this.#drop(oldest);
    }
  }

  /** The history of an instance as pieces, from memory or read. @throws INSTANCE_DAMAGED */
  history(mailbox: Mailbox): Piece[] | Promise<Piece[]> {
    const { pieces } = mailbox;
    if (pieces === undefined) return this.#readPieces(mailbox);
    this.touch(mailbox);
    return pieces;
  }

  /**
   * Notes that an instance is at work, and lets go of the histories of others while all of them take
   * too much memory.
   */
  touch(mailbox: Mailbox): void {
    this.#forget(mailbox);
    if (mailbox.pieces === undefined || this.peek(mailbox.instanceId) !== mailbox) return;
    mailbox.cachedBytes = mailbox.historyBytes();
    this.#cached.set(mailbox.instanceId, mailbox);
    this.#cachedBytes += mailbox.cachedBytes;
    for (const oldest of this.#cached.values()) {
      if (this.#cachedBytes <= this.#historyBytes || oldest === mailbox) break;
      this.#forget(oldest);
      oldest.pieces = undefined;
    }
  }

  /** Mailboxes in memory. */
  count(): number {
    return this.#live.size;
  }

  async #readPieces(mailbox: Mailbox): Promise<Piece[]> {
    await mailbox.lastCommit;
    const { snapshot } = mailbox;
    if (snapshot === undefined) return [];
    const isChanged = (): boolean => mailbox.isDirty() || mailbox.snapshot !== snapshot;
    const reading = readHistory(this.#store, mailbox.instanceId, snapshot.row);
    const chunks = await reading.catch((error: unknown) => {
      // A commit on its way may have brought more than the row says, or taken it away.
      if (isDamage(error) && isChanged()) return undefined;
      throw error;
    });
    // Changes made while it was read have to be on disk before the pieces are whole again.
    if (chunks === undefined || isChanged()) return this.#readPieces(mailbox);
    const pieces = piecesOf(chunks);
    mailbox.pieces = pieces;
    this.touch(mailbox);
    return pieces;
  }

  #forget(mailbox: Mailbox): void {
    if (mailbox.cachedBytes === undefined) return;
    this.#cachedBytes -= mailbox.cachedBytes;
    mailbox.cachedBytes = undefined;
    this.#cached.delete(mailbox.instanceId);
  }

  #drop(mailbox: Mailbox): void {
    this.#idle.delete(mailbox.instanceId);
    this.#live.delete(mailbox.instanceId);
    this.#forget(mailbox);
  }

  /** Reads an instance; once more where it seems damaged: a commit may have come between its parts. */
  #read(instanceId: string): Promise<Mailbox> {
    const read = () => loadMailbox(this.#store, instanceId, this.#host, "known");
    return read().catch((error: unknown) => {
      if (!isDamage(error)) throw error;
      return this.#live.get(instanceId) ?? read();
    });
  }

  #load(instanceId: string): Promise<Mailbox> {
    const known = this.#loading.get(instanceId);
    if (known !== undefined) return known;
    const loading = this.#read(instanceId).then((loaded) => {
      // It may have been begun as a fresh one meanwhile.
      const mailbox = this.#live.get(instanceId) ?? loaded;
      this.#live.set(instanceId, mailbox);
      this.onLoaded(mailbox);
      return mailbox;
    });
    this.#loading.set(instanceId, loading);
    const done = (): void => {
      this.#loading.delete(instanceId);
    };
    loading.then(done, done);
    return loading;
  }
}
