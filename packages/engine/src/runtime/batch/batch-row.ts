// SPDX-License-Identifier: Apache-2.0

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type BatchItem,
  BatchItemSchema,
  type BatchRequest,
  type BatchRow,
  BatchRowSchema,
  StoredBatchStatus,
} from "@pawl/protocol/store";
import { damaged } from "../../store/damaged.js";
import { seal, unseal } from "../../store/sealed.js";

/** A batch that has just been asked for. */
export function newRow(request: BatchRequest, now: number): BatchRow {
  return create(BatchRowSchema, {
    request,
    status: StoredBatchStatus.MATCHING,
    createdAt: BigInt(now),
  });
}

/** Encodes a row. */
export function encodeBatch(row: BatchRow): Uint8Array {
  return seal(toBinary(BatchRowSchema, row));
}

/** Decodes a row. @throws INSTANCE_DAMAGED */
export function decodeBatch(bytes: Uint8Array): BatchRow {
  try {
    return fromBinary(BatchRowSchema, unseal(bytes, "batch"));
  } catch (cause) {
    throw damaged("a batch cannot be decoded", cause);
  }
}

/** Encodes an item. */
export function encodeItem(instanceId: string, executionId: string): Uint8Array {
  return seal(toBinary(BatchItemSchema, create(BatchItemSchema, { instanceId, executionId })));
}

/** Decodes an item. @throws INSTANCE_DAMAGED */
export function decodeItem(bytes: Uint8Array): BatchItem {
  try {
    return fromBinary(BatchItemSchema, unseal(bytes, "batch's item"));
  } catch (cause) {
    throw damaged("an item of a batch cannot be decoded", cause);
  }
}
