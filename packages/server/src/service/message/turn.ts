// SPDX-License-Identifier: Apache-2.0

import {
  create,
  type DescMessage,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import type { TurnItem } from "@pawl/engine";
import {
  ByteWriter,
  encodeWith,
  openMessage,
  type WorkResponse,
  WorkResponseSchema,
  writeInt32,
  writeText,
} from "@pawl/protocol";
import { type WorkItem as WorkItemMessage, WorkItemSchema } from "@pawl/protocol/task-hub";

// The messages that carry history are put together from fields that are encoded already. Protobuf-es
// writes a message's unknown fields as they are, so that neither it nor anybody else looks at the
// events again.

/** Field of WorkItem that holds a WorkflowRequest, and of WorkResponse that holds a Turn. */
const turnField = 1;

/** Field of WorkItem that holds its token. */
const tokenField = 10;

/** Bytes of history up to which it is written through a buffer with the rest. */
const smallPastBytes = 16 * 1024;

/** What is written before and after the history of a turn. */
interface TurnParts {
  head(writer: ByteWriter, item: TurnItem): void;
  tail(writer: ByteWriter, item: TurnItem): void;
}

const workflowRequest: TurnParts = {
  head(writer, { instanceId, executionId }) {
    writeText(writer, 1, instanceId);
    openMessage(writer, 2);
    writeText(writer, 1, executionId);
    writer.join();
  },
  tail(writer, item) {
    writeEvents(writer, item);
    if (item.propagated !== undefined) {
      writer.tag(8, WireType.LengthDelimited).bytes(item.propagated);
    }
    if (item.cachedEventCount > 0) {
      openMessage(writer, 9);
      writeInt32(writer, 1, item.cachedEventCount);
      writer.join();
    }
  },
};

const turn: TurnParts = {
  head(writer, { instanceId, executionId }) {
    writeText(writer, 1, instanceId);
    writeText(writer, 2, executionId);
  },
  tail(writer, item) {
    writeEvents(writer, item);
    writeText(writer, 5, item.token);
    writeText(writer, 6, item.workflow);
    if (item.cachedEventCount > 0) {
      writer.tag(7, WireType.Varint).bool(true);
    }
    if (item.pastEventCount > 0) {
      writer.tag(8, WireType.Varint).uint32(item.pastEventCount);
    }
  },
};

/** Length and bytes of a Durable Task WorkflowRequest. */
export function encodeWorkflowRequest(item: TurnItem): Uint8Array {
  return encodeParts(workflowRequest, item);
}

/** Length and bytes of a pawl.v1.Turn. */
export function encodeTurn(item: TurnItem): Uint8Array {
  return encodeParts(turn, item);
}

/** A long history is copied once, past the writer's buffer, which would grow for it. */
function encodeParts(parts: TurnParts, item: TurnItem): Uint8Array {
  if (isLong(item)) {
    const head = encodeWith(parts.head, item);
    return joinWithLength([head, ...item.past, encodeWith(parts.tail, item)]);
  }
  return encodeWith((writer) => {
    writer.fork();
    writeParts(writer, parts, item);
    writer.join();
  }, item);
}

function isLong({ past }: TurnItem): boolean {
  return past.reduce((sum, part) => sum + part.byteLength, 0) > smallPastBytes;
}

function writeParts(writer: ByteWriter, parts: TurnParts, item: TurnItem): void {
  parts.head(writer, item);
  for (const part of item.past) {
    writer.raw(part);
  }
  parts.tail(writer, item);
}

/** The work item of the sidecar service for a turn. `json`: with its fields known, to be written as JSON. */
export function toTurnWorkItem(item: TurnItem, json: boolean): WorkItemMessage {
  const message = create(WorkItemSchema, { completionToken: item.token });
  return withEncodedFields(WorkItemSchema, message, [encodeWorkflowRequest(item)], json);
}

/** The same, encoded as a whole. */
export function encodeTurnWorkItem(item: TurnItem): Uint8Array {
  if (isLong(item)) {
    const tag = Uint8Array.of((turnField << 3) | WireType.LengthDelimited);
    return Buffer.concat([tag, encodeWorkflowRequest(item), encodeWith(writeToken, item)]);
  }
  return encodeWith((writer) => {
    openMessage(writer, turnField);
    writeParts(writer, workflowRequest, item);
    writer.join();
    writeToken(writer, item);
  }, item);
}

function writeToken(writer: ByteWriter, { token }: TurnItem): void {
  writeText(writer, tokenField, token);
}

/** Puts encoded turns into a message to Pawl's worker. `json` as at `toTurnWorkItem`. */
export function addTurns(
  message: WorkResponse,
  turns: readonly Uint8Array[],
  json: boolean,
): WorkResponse {
  return withEncodedFields(WorkResponseSchema, message, turns, json);
}

function withEncodedFields<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  fields: readonly Uint8Array[],
  json: boolean,
): MessageShape<Desc> {
  if (fields.length === 0) {
    return message;
  }
  message.$unknown = fields.map((data) => ({
    no: turnField,
    wireType: WireType.LengthDelimited,
    data,
  }));
  return json ? fromBinary(schema, toBinary(schema, message)) : message;
}

/** The turn's own events are field 4 of both messages, as its past ones are field 3. */
function writeEvents(writer: ByteWriter, item: TurnItem): void {
  for (const event of item.events) {
    writer.tag(4, WireType.LengthDelimited).bytes(event.bytes);
  }
}

/** Joins parts with one copy, their length in front. */
function joinWithLength(parts: readonly Uint8Array[]): Uint8Array {
  const sizeBytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const length = new ByteWriter().uint32(sizeBytes).finish();
  const joined = new Uint8Array(length.byteLength + sizeBytes);
  joined.set(length);
  let at = length.byteLength;
  for (const part of parts) {
    joined.set(part, at);
    at += part.byteLength;
  }
  return joined;
}
