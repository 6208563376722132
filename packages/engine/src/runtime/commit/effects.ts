// SPDX-License-Identifier: Apache-2.0

import type { Message, PurgeOrder } from "../../core/outcome.js";
import type { OpenTask } from "../../core/state.js";
import type { Row } from "../../store/codec.js";
import type { TimerKey } from "../../store/key.js";

/** A message with its place in the outbox. */
export interface PostedMessage {
  readonly key: Uint8Array;
  readonly message: Message;
}

/** An order to purge, with its place in the outbox. */
export interface PostedOrder {
  readonly key: Uint8Array;
  readonly order: PurgeOrder;
  /**
   * Gets, when the order is delivered, how many instances it will have deleted; resolved once all of them
   * are gone from the disk.
   */
  readonly onDelivered?: (purged: Promise<number>) => void;
}

/** What leaves an instance for another one. */
export type Posted = PostedMessage | PostedOrder;

/** The same before it has its place in the outbox. */
export type Posting = Omit<PostedMessage, "key"> | Omit<PostedOrder, "key">;

/** A task with the execution that asked for it. */
export interface AskedTask {
  readonly executionId: string;
  readonly task: OpenTask;
}

/** What may happen only once a commit is on disk. */
export interface Effects {
  readonly tasks: readonly AskedTask[];
  readonly posted: readonly Posted[];
  /** Executions that have ended, and stay beside the one that has their id now. */
  readonly kept: readonly Row[];
  readonly timers: readonly TimerKey[];
}
