// SPDX-License-Identifier: Apache-2.0

// What Microsoft's Durable Task SDKs send on the same service: most of it is what Dapr's send, but some
// numbers mean something else to them (docs/workers.md). What that is can be told by its form.

import { create } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { EngineError } from "@pawl/engine";
import {
  CreateInstanceRequestSchema,
  type GetWorkItemsRequest,
  PurgeInstancesRequestSchema,
  WorkflowResponseSchema,
  type WorkItem as WorkItemMessage,
  WorkItemSchema,
} from "@pawl/protocol/task-hub";
import { type FieldRule, type FieldRules, hasLength, isNumber } from "../../rpc/foreign-fields.js";

/** A message within a message begins with a tag, which no text begins with: it is a control character. */
const isText: FieldRule = (wireType, bytes, from, to) =>
  wireType === WireType.LengthDelimited && (from === to || (bytes[from] ?? 0) >= 0x20);

/** A version has texts alone, and none of its patches is empty; Microsoft's trace context has messages. */
const isVersion: FieldRule = (wireType, bytes, from, to) => {
  if (wireType !== WireType.LengthDelimited) return false;
  const reader = new BinaryReader(bytes.subarray(from, to));
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (type !== WireType.LengthDelimited) return false;
    const text = reader.bytes();
    if (!isText(type, text, 0, text.length) || (number === 1 && text.length === 0)) return false;
  }
  return true;
};

/** By the request's type: fields that are left out when they are not what Dapr's contract says. */
export const dialectRules: ReadonlyMap<string, FieldRules> = new Map<string, FieldRules>([
  // 10: requestTime, not enforceUniqueInstanceId.
  [CreateInstanceRequestSchema.typeName, { 10: isNumber }],
  // 4: instanceBatch, not force. 5: isOrchestration, not router.
  [PurgeInstancesRequestSchema.typeName, { 4: isNumber, 5: hasLength }],
  [
    WorkflowResponseSchema.typeName,
    {
      // Of actions: parentTraceContext, not the task's execution id; tags, not the propagation's scope.
      2: { 2: { 5: isText }, 3: { 6: isNumber } },
      // orchestrationTraceContext, not the version.
      6: isVersion,
    },
  ],
]);

/** What a Microsoft worker says of itself where Dapr's says nothing. */
export interface WorkerHints {
  /** It is one of Microsoft's, or of Dapr's that is as old as theirs. */
  readonly isMicrosoft: boolean;
  readonly turnLimit?: number;
  readonly activityLimit?: number;
  readonly workflows?: readonly string[];
  readonly activities?: readonly string[];
}

/** Numbers that Dapr's contract has given up: limits 1 to 3, capabilities 10, filters 11. */
const microsoftFields = new Set([1, 2, 3, 10, 11]);

/** Reads the fields of GetWorkItems that only Microsoft's workers send. */
export function readWorkerHints(request: GetWorkItemsRequest, userAgent: string): WorkerHints {
  try {
    return hintsIn(request.$unknown ?? [], userAgent);
  } catch (error) {
    throw new EngineError("MALFORMED_REQUEST", "a field of another dialect cannot be read", {
      cause: error,
    });
  }
}

function hintsIn(
  unknown: NonNullable<GetWorkItemsRequest["$unknown"]>,
  userAgent: string,
): WorkerHints {
  const read = (wanted: number): BinaryReader | undefined => {
    const field = unknown.findLast(({ no }) => no === wanted);
    return field === undefined ? undefined : new BinaryReader(field.data);
  };
  const [turnLimit, activityLimit] = [1, 2].map((number) => read(number)?.int32() ?? 0);
  const filters = read(11)?.bytes();
  return {
    isMicrosoft:
      unknown.some(({ no }) => microsoftFields.has(no)) || userAgent.startsWith("durabletask-js"),
    ...(turnLimit !== undefined && turnLimit > 0 ? { turnLimit } : {}),
    ...(activityLimit !== undefined && activityLimit > 0 ? { activityLimit } : {}),
    ...(filters === undefined
      ? {}
      : { workflows: namesIn(filters, 1), activities: namesIn(filters, 2) }),
  };
}

/** The names (field 1) of the filters under a number. */
function namesIn(filters: Uint8Array, number: number): string[] {
  return contentsOf(filters, number).flatMap((filter) =>
    contentsOf(filter, 1).map((name) => Buffer.from(name).toString("utf8")),
  );
}

function contentsOf(message: Uint8Array, wanted: number): Uint8Array[] {
  const reader = new BinaryReader(message);
  const contents: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === wanted && wireType === WireType.LengthDelimited) contents.push(reader.bytes());
    else reader.skip(wireType, number);
  }
  return contents;
}

/** A sign of life as Microsoft's workers know it: an empty message under 4. They need no capability. */
export function toMicrosoftPing(): WorkItemMessage {
  const ping = create(WorkItemSchema);
  ping.$unknown = [{ no: 4, wireType: WireType.LengthDelimited, data: new Uint8Array([0]) }];
  return ping;
}
