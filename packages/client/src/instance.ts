// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent } from "@pawl/protocol";
import { parsePayload } from "./payload.js";
import type { FeedRecord, InstanceChangeRecord, InstanceRecord } from "./port.js";

/** One instance as seen at one moment. Instants are in milliseconds since 1970 (UTC). */
export interface Instance extends Omit<InstanceRecord, "input" | "output" | "customStatus"> {
  /** `undefined` when there is none, or payloads were not asked for. */
  readonly input: unknown;
  /** `undefined` when there is none, or payloads were not asked for. */
  readonly output: unknown;
  /** What the workflow last set; `undefined` when it set none. */
  readonly customStatus: unknown;
}

/** Reads the payloads of an instance. */
export function toInstance(record: InstanceRecord): Instance {
  return {
    ...record,
    input: parsePayload(record.input),
    output: parsePayload(record.output),
    customStatus: parsePayload(record.customStatus),
  };
}

/** One durable state of a watched instance. */
export interface InstanceChange {
  readonly instance: Instance;
  /**
   * The events that history gained since the change before, oldest first; absent unless `history`
   * was asked for.
   */
  readonly events?: readonly HistoryEvent[];
  /**
   * Another execution than that of the change before, whose end was told or which is not kept: its
   * history begins anew.
   */
  readonly restarted: boolean;
  /** Goes on after this change, also in another process. */
  readonly resumeToken: string;
}

/** What happened to one of the watched instances. */
export type FeedItem =
  /** The newest state of an instance. */
  | { readonly kind: "changed"; readonly instance: Instance; readonly resumeToken: string }
  /** It was purged. Of the filter only what it says of ids counts: nothing else is left of it. */
  | { readonly kind: "purged"; readonly instanceId: string; readonly resumeToken: string }
  /**
   * `resynced`: the token is older than the server's log of changes; what changed since follows all
   * the same, purges since are not told. `caughtUp`: all that there was has been sent; what follows
   * is new.
   */
  | { readonly kind: "resynced" | "caughtUp"; readonly resumeToken: string };

/** Reads the payloads of a change. */
export function toInstanceChange(change: InstanceChangeRecord): InstanceChange {
  return { ...change, instance: toInstance(change.instance) };
}

/** Reads the payloads of an item. */
export function toFeedItem(item: FeedRecord): FeedItem {
  return item.kind === "changed" ? { ...item, instance: toInstance(item.instance) } : item;
}
