// SPDX-License-Identifier: Apache-2.0

import type { InstanceRow, ParentLink } from "./gen/pawl/store/v1/store_pb.js";
import type { ByteWriter } from "./write/byte-writer.js";
import { fixed32, int32, int64, open, presentText, text, uint32 } from "./write/field-writer.js";
import { encodeWith } from "./write/shared-writer.js";

/** A message's own fields, with numbers in place of big integers: instants and counts are below 2^53. */
type Fields<T> = {
  [K in Exclude<keyof T, "$typeName" | "$unknown">]: T[K] extends bigint ? number : T[K];
};

/** The fields of a row. */
export type RowFields = Omit<Fields<InstanceRow>, "parent"> & {
  parent?: Fields<ParentLink> | undefined;
  customStatus?: string | undefined;
};

/**
 * Encodes a row: each commit writes one for each of its instances. Field by field, as the events of
 * `encode-event.ts` are, and tested like them, byte for byte.
 */
export function encodeInstanceRow(row: Readonly<RowFields>): Uint8Array {
  return encodeWith(writeRow, row);
}

function writeRow(writer: ByteWriter, row: Readonly<RowFields>): void {
  uint32(writer, 1, row.generation);
  text(writer, 2, row.workflow);
  text(writer, 3, row.executionId);
  int32(writer, 4, row.status);
  int64(writer, 5, row.createdAt);
  int64(writer, 6, row.startedAt);
  int64(writer, 7, row.updatedAt);
  int64(writer, 8, row.completedAt);
  int64(writer, 9, row.startAt);
  if (row.parent !== undefined) {
    open(writer, 10);
    text(writer, 1, row.parent.instanceId);
    text(writer, 2, row.parent.executionId);
    int32(writer, 3, row.parent.taskId);
    writer.join();
  }
  for (const key of Object.keys(row.tags)) {
    open(writer, 11);
    presentText(writer, 1, key);
    presentText(writer, 2, row.tags[key] ?? "");
    writer.join();
  }
  if (row.customStatus !== undefined) presentText(writer, 12, row.customStatus);
  text(writer, 13, row.version);
  text(writer, 14, row.stallReason);
  uint32(writer, 15, row.eventCount);
  uint32(writer, 16, row.chunkCount);
  fixed32(writer, 17, row.chain);
  int64(writer, 18, row.historyBytes);
  uint32(writer, 19, row.inboxFirst);
  uint32(writer, 20, row.inboxNext);
  text(writer, 21, row.stallCode);
  int64(writer, 30, row.changed);
}
