// SPDX-License-Identifier: Apache-2.0

import type { FeedItem, InstanceFilter, WatchAllOptions } from "@pawl/protocol/port";
import type { EngineUnderTest } from "../open-engine.js";

/** A watcher that takes what there is and can be left at any item. */
export class Watcher {
  readonly items: FeedItem[] = [];
  readonly #feed: AsyncIterator<FeedItem>;
  readonly #stop = new AbortController();

  constructor(under: EngineUnderTest, filter: InstanceFilter = {}, options: WatchAllOptions = {}) {
    const signal = this.#stop.signal;
    this.#feed = under.engine.watchAll(filter, { ...options, signal })[Symbol.asyncIterator]();
  }

  /** One that has taken what there was, and follows. */
  static async caughtUp(...how: ConstructorParameters<typeof Watcher>): Promise<Watcher> {
    const watcher = new Watcher(...how);
    await watcher.until("caughtUp");
    return watcher;
  }

  async next(): Promise<FeedItem> {
    const { done, value } = await this.#feed.next();
    if (done === true) throw new Error("the watch has ended");
    this.items.push(value);
    return value;
  }

  /** Takes items until the one of this kind. */
  async until(kind: FeedItem["kind"]): Promise<void> {
    while ((await this.next()).kind !== kind);
  }

  get token(): string {
    return this.items.at(-1)?.resumeToken ?? "";
  }

  /** Leaves the feed, as a connection that breaks. */
  async leave(): Promise<void> {
    this.#stop.abort();
    await this.#feed.next().catch(() => {});
  }
}
