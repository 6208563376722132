// SPDX-License-Identifier: Apache-2.0

import { isEngineError } from "../errors.js";
import { readHistory } from "../runtime/loader.js";
import { decodeRow } from "../store/codec.js";
import {
  endedKey,
  executionKey,
  instanceIdOf,
  kindRange,
  parseEndedKey,
  sequenceOf,
} from "../store/key.js";
import type { StoreReader } from "../store/store.js";

/**
 * Problems of the older executions in some partitions, and of what is left of executions, as text: each
 * that is kept has its history and the mark of its end, and no mark and no history belongs to nothing.
 */
export async function problemsOfExecutions(
  store: StoreReader,
  of: Iterable<number>,
): Promise<string[]> {
  const problems: string[] = [];
  for (const partition of of) {
    const owners = new Set<string>();
    const marks = new Set<string>();
    for (const [key, value] of await store.range(kindRange("row", partition))) {
      owners.add(nameOf(instanceIdOf(key), decodeRow(value).generation));
    }
    for (const [key, value] of await store.range(kindRange("execution", partition))) {
      const instanceId = instanceIdOf(key, 4);
      const row = decodeRow(value);
      const name = nameOf(instanceId, sequenceOf(key));
      if (row.generation !== sequenceOf(key)) problems.push(`${name}: is ${row.generation}`);
      if (row.completedAt === 0) problems.push(`${name}: has not ended, and is kept`);
      owners.add(name);
      const second = Math.floor(row.completedAt / 1000);
      marks.add(hexOf(endedKey({ second, instanceId, generation: row.generation })));
      const fault = await readHistory(store, instanceId, row).catch(faultOf);
      if (typeof fault === "string") problems.push(`${name}: ${fault}`);
    }
    for (const [key] of await store.range(kindRange("ended", partition))) {
      if (marks.delete(hexOf(key))) continue;
      const { instanceId, generation } = parseEndedKey(key);
      if ((await store.get(executionKey(instanceId, generation))) === undefined) {
        problems.push(`${nameOf(instanceId, generation)}: has the mark of an end and no row`);
      }
    }
    for (const mark of marks) problems.push(`${mark}: an older execution without it`);
    for (const [key] of await store.range(kindRange("history", partition))) {
      const generation = Buffer.from(key).readUInt32BE(key.length - 8);
      const name = nameOf(instanceIdOf(key, 8), generation);
      if (!owners.has(name)) problems.push(`${name}: has history and no row`);
    }
  }
  return problems;
}

function nameOf(instanceId: string, generation: number): string {
  return `execution ${generation} of ${instanceId}`;
}

function faultOf(error: unknown): string {
  if (!isEngineError(error)) throw error;
  return error.message;
}

function hexOf(key: Uint8Array): string {
  return Buffer.from(key).toString("hex");
}
