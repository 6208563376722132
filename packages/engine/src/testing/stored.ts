// SPDX-License-Identifier: Apache-2.0

import type { EventRecord } from "@pawl/protocol";
import type { InstanceStatus } from "@pawl/protocol/port";
import { decodeChunk, decodeRow, eventsOf, rowStatus } from "../store/codec.js";
import { instanceIdOf, type KeyKind, kindRange, parseTimerKey } from "../store/key.js";

/** What a key of the store is for, and whose it is. */
export interface StoredKey {
  /** "other": it belongs to an index, or to the store as a whole. */
  readonly kind: KeyKind | "other";
  /** Empty where the kind is "other". */
  readonly instanceId: string;
}

const kindOfByte = new Map<number, KeyKind>(
  (["row", "history", "inbox", "outbox", "live", "timer"] as const).map((kind) => [
    kindRange(kind, 0).gte[2] ?? 0,
    kind,
  ]),
);

/** Bytes that follow the instance id and its zero byte, where it is not the end of the key. */
const tailBytes: Partial<Record<KeyKind, number>> = { history: 8, inbox: 4, outbox: 4 };

/** Reads a key of an engine's store. */
export function readStoredKey(key: Uint8Array): StoredKey {
  const kind = kindOfByte.get(key[2] ?? 0);
  if (kind === undefined) return { kind: "other", instanceId: "" };
  const instanceId =
    kind === "timer" ? parseTimerKey(key).instanceId : instanceIdOf(key, tailBytes[kind] ?? 0);
  return { kind, instanceId };
}

/** The row of an instance, as far as those who check an engine need it. */
export interface StoredRow {
  readonly executionId: string;
  readonly generation: number;
  readonly status: InstanceStatus;
  readonly eventCount: number;
  /** Checksum chain of the history. */
  readonly chain: number;
  readonly completedAt: number;
  readonly customStatus: string | undefined;
  /** Sequence number of the next event for its inbox. */
  readonly inboxNext: number;
}

/** Reads a row. @throws INSTANCE_DAMAGED */
export function readStoredRow(value: Uint8Array): StoredRow {
  const row = decodeRow(value);
  const { executionId, generation, eventCount, chain, customStatus, inboxNext } = row;
  const status = rowStatus(row);
  const facts = { executionId, generation, eventCount, chain, customStatus, inboxNext };
  return { ...facts, status, completedAt: row.completedAt };
}

/** True for the key of the first chunk of an execution's history. */
export function isFirstChunk(key: Uint8Array): boolean {
  return Buffer.from(key).readUInt32BE(key.length - 4) === 0;
}

/** Reads a chunk of history. @throws INSTANCE_DAMAGED */
export function readStoredEvents(value: Uint8Array): EventRecord[] {
  return eventsOf(decodeChunk(value));
}
