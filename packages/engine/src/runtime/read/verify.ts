// SPDX-License-Identifier: Apache-2.0

import { isEngineError } from "../../errors.js";
import { decodeMessage } from "../../store/codec.js";
import { isDamage } from "../../store/damaged.js";
import { findIndexFaults, type IndexFault } from "../../store/index/index-check.js";
import { instanceIdOf, kindRange, partitions } from "../../store/key.js";
import { describeLost, LostBlocks } from "../../store/salvage/lost-blocks.js";
import { scan } from "../../store/scan.js";
import type { Store } from "../../store/store.js";
import type { MailboxHost } from "../commit/mailbox-host.js";
import { loadMailbox, readHistory } from "../loader.js";
import { olderRows } from "../retention/older-executions.js";
import { findMissingWake } from "./verify-wake.js";

/** What a verification found. */
export interface VerifyReport {
  /** Instances that were read, damaged ones included. */
  readonly instances: number;
  /** History events of the sound ones. */
  readonly events: number;
  readonly damaged: readonly { readonly instanceId: string; readonly reason: string }[];
  /**
   * Blocks of tables that could not be read when the folder was salvaged, for people. Their instances are
   * among the damaged ones as far as anything is known of them.
   */
  readonly lost: readonly string[];
  /**
   * Index entries that are missing or stale. They harm lists and queries, not the instances.
   * Undefined: the folder is of an older format, whose indexes are made when it is next opened.
   */
  readonly indexFaults: readonly IndexFault[] | undefined;
}

/** Rows that are read at a time. */
const pageSize = 256;

/** Nothing is ever changed by a verification. */
const onlooker: MailboxHost = {
  keepsExecutions: false,
  now: () => 0,
  nextOutboxSequence: () => 0,
  committed() {},
};

/**
 * Reads every instance of a store whole, as if it were to go on: row, history with its sequence and
 * checksums, inbox, and what will wake it; every message on its way; then, `withIndexes`, compares the
 * indexes with a recount. Changes nothing. `onProgress` is told of the number of instances read so far.
 */
export async function verifyStore(
  store: Store,
  onProgress: (instances: number) => void,
  withIndexes = true,
): Promise<VerifyReport> {
  const damaged: { instanceId: string; reason: string }[] = [];
  let instances = 0;
  let events = 0;
  for (const partition of partitions) {
    const { gte, lt } = kindRange("row", partition);
    for (let from: Uint8Array = gte; ; ) {
      const entries = await store.range({ gte: from, lt, limit: pageSize });
      for (const [key] of entries) {
        const instanceId = instanceIdOf(key);
        const found = await verifyInstance(store, instanceId);
        if (typeof found === "number") events += found;
        else damaged.push({ instanceId, reason: found.reason });
        instances += 1;
        from = Buffer.concat([key, Buffer.alloc(1)]);
      }
      onProgress(instances);
      if (entries.length < pageSize) break;
    }
  }
  damaged.push(...(await findDamagedMessages(store)));
  const indexFaults = withIndexes ? await findIndexFaults(store) : undefined;
  const lost = (await LostBlocks.read(store)).all.map(describeLost);
  return { instances, events, damaged, lost, indexFaults };
}

/** How many events it has, or what is wrong with it. */
async function verifyInstance(
  store: Store,
  instanceId: string,
): Promise<number | { readonly reason: string }> {
  try {
    const { state } = await loadMailbox(store, instanceId, onlooker);
    const missing = state && (await findMissingWake(store, state));
    if (missing !== undefined) return { reason: missing };
    let events = state?.fold.eventCount ?? 0;
    for await (const row of olderRows(store, instanceId)) {
      await readHistory(store, instanceId, row);
      events += row.eventCount;
    }
    return events;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { reason: error.message };
  }
}

/** Messages between instances that cannot be read, by their sender. */
async function findDamagedMessages(
  store: Store,
): Promise<{ readonly instanceId: string; readonly reason: string }[]> {
  const damaged: { readonly instanceId: string; readonly reason: string }[] = [];
  for (const partition of partitions) {
    for await (const entries of scan(store, kindRange("outbox", partition))) {
      for (const [key, value] of entries) {
        try {
          decodeMessage(value);
        } catch (error) {
          if (!isEngineError(error)) throw error;
          damaged.push({ instanceId: instanceIdOf(key, 4), reason: error.message });
        }
      }
    }
  }
  return damaged;
}
