// SPDX-License-Identifier: Apache-2.0

import type { EventRecord } from "@pawl/protocol";
import { parentLinkOf } from "../../core/command/receive.js";
import type { ParentLink } from "../../core/state.js";
import { chainOf, decodeChunk, decodeInboxEvent, eventsOf } from "../../store/codec.js";
import { isDamage } from "../../store/damaged.js";
import { instanceRange, sequenceOf } from "../../store/key.js";
import { scan } from "../../store/scan.js";
import type { StoreReader } from "../../store/store.js";
import { readRow } from "../loader.js";

/**
 * Who may wait for an instance that is damaged: its parent, unless it had ended, as its row says. Where the row
 * cannot be read, the parents that its inbox and its history name, be it of older executions: a task that has
 * its result passes over another one.
 */
export async function waitingParents(
  store: StoreReader,
  instanceId: string,
): Promise<readonly ParentLink[]> {
  try {
    const row = await readRow(store, instanceId);
    return row?.parent !== undefined && row.completedAt === 0 ? [row.parent] : [];
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  const parents: ParentLink[] = [];
  for await (const entries of scan(store, instanceRange("inbox", instanceId))) {
    for (const [, value] of entries) parents.push(...parentsIn(() => [decodeInboxEvent(value)]));
  }
  let chain = 0;
  for await (const entries of scan(store, instanceRange("history", instanceId))) {
    for (const [key, value] of entries) {
      const chunk = readable(() => decodeChunk(value));
      const before = sequenceOf(key) === 0 ? 0 : chain;
      const isSound = chunk !== undefined && chainOf(before, chunk.frames) === chunk.chain;
      if (isSound) parents.push(...parentsIn(() => eventsOf(chunk)));
      chain = chunk?.chain ?? 0;
    }
  }
  return parents;
}

/** The parents that starts among these events name. What cannot be decoded names nobody. */
function parentsIn(read: () => readonly EventRecord[]): ParentLink[] {
  const started = (records: readonly EventRecord[]): ParentLink[] =>
    records.flatMap(({ event: { eventType } }) => {
      return eventType.case === "executionStarted" ? (parentLinkOf(eventType.value) ?? []) : [];
    });
  return readable(() => started(read())) ?? [];
}

function readable<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}
