// SPDX-License-Identifier: Apache-2.0

import { isEngineError } from "../../errors.js";
import { decodeRow, encodeRow, type Row } from "../../store/codec.js";
import { chunkKey, endedKey, executionKey, instanceRange } from "../../store/key.js";
import { del, mark, put, type Store, type StoreWrite } from "../../store/store.js";

/** Rows that are read at a time. */
const pieceSize = 256;

/** What keeps an ended execution when its id is used again. Its history stays where it is. */
export function keepingWrites(instanceId: string, row: Row): StoreWrite[] {
  return [
    put(executionKey(instanceId, row.generation), encodeRow(row)),
    mark(endedKeyOf(instanceId, row)),
  ];
}

/** What marks the end of an execution that is kept, by its stored row; undefined: that one is damaged. */
export function endedWrite(instanceId: string, value: Uint8Array): StoreWrite | undefined {
  try {
    return mark(endedKeyOf(instanceId, decodeRow(value)));
  } catch (error) {
    if (isEngineError(error)) return undefined;
    throw error;
  }
}

/** What makes an execution that was kept no longer an older one. Its history stays where it is. */
export function unkeepingWrites(instanceId: string, row: Row): StoreWrite[] {
  const keys = [executionKey(instanceId, row.generation), endedKeyOf(instanceId, row)];
  return keys.map(del);
}

/** What deletes an execution that was kept. */
export function removingWrites(instanceId: string, row: Row): StoreWrite[] {
  const { generation, chunkCount } = row;
  const chunks = Array.from({ length: chunkCount }, (_, at) =>
    chunkKey(instanceId, generation, at),
  );
  const history = chunks.map(del);
  return [...unkeepingWrites(instanceId, row), ...history];
}

function endedKeyOf(instanceId: string, { generation, completedAt }: Row): Uint8Array {
  const second = Math.floor(completedAt / 1000);
  return endedKey({ second, instanceId, generation });
}

/** All executions of an id that are kept beside the present one, the newest first. */
export async function readOlderRows(store: Store, instanceId: string): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of olderRows(store, instanceId)) rows.push(row);
  return rows;
}

/**
 * The executions of an id that are kept beside the present one, the newest first; with `before`, those
 * of a lower generation.
 * @throws INSTANCE_DAMAGED
 */
export async function* olderRows(
  store: Store,
  instanceId: string,
  before?: number,
): AsyncGenerator<Row, void> {
  const { gte, lt: end } = instanceRange("execution", instanceId);
  let lt = before === undefined ? end : executionKey(instanceId, before);
  for (;;) {
    const entries = await store.range({ gte, lt, limit: pieceSize, reverse: true });
    for (const [key, value] of entries) {
      lt = key;
      yield decodeRow(value);
    }
    if (entries.length < pieceSize) return;
  }
}
