// SPDX-License-Identifier: Apache-2.0

import { fromBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { writeEvent } from "./encode-event.js";
import { type HistoryEvent, HistoryEventSchema } from "./gen/durabletask/history_events_pb.js";
import type { ByteWriter } from "./write/byte-writer.js";
import { encodeToKeep, encodeWith } from "./write/shared-writer.js";

/**
 * A history event that is encoded and decoded at most once in its life: made from either form, it
 * gives both.
 */
export class EventRecord {
  #event: HistoryEvent | undefined;
  #bytes: Uint8Array | undefined;

  private constructor(event: HistoryEvent | undefined, bytes: Uint8Array | undefined) {
    this.#event = event;
    this.#bytes = bytes;
  }

  /** Takes an event. It must not be changed afterwards. */
  static of(event: HistoryEvent): EventRecord {
    return new EventRecord(event, undefined);
  }

  /** Takes an encoded event. The bytes must not be changed afterwards. */
  static fromBytes(bytes: Uint8Array): EventRecord {
    return new EventRecord(undefined, bytes);
  }

  /** The event. @throws an error of protobuf-es when the bytes are not an event */
  get event(): HistoryEvent {
    this.#event ??= fromBinary(HistoryEventSchema, this.#bytes ?? new Uint8Array());
    return this.#event;
  }

  /** The event in Durable Task wire form. */
  get bytes(): Uint8Array {
    this.#bytes ??= encodeToKeep(writeEvent, this.event);
    return this.#bytes;
  }

  /** The event in wire form, where it has been encoded already. */
  get encoded(): Uint8Array | undefined {
    return this.#bytes;
  }
}

/** Number of `pastEvents` in the Durable Task WorkflowRequest and of `past_events` in pawl.v1.Turn. */
const pastEventsField = 3;
const pastEventsTag = (pastEventsField << 3) | WireType.LengthDelimited;

/**
 * Encodes events as consecutive `pastEvents` fields (number 3): the form in which history is stored
 * and put on the wire. For use now, as what `encodeWith` gives.
 */
export function encodeFrames(records: readonly EventRecord[]): Uint8Array {
  return records.length === 0 ? noFrames : encodeWith(writeFrames, records);
}

const noFrames = new Uint8Array();

function writeFrames(writer: ByteWriter, records: readonly EventRecord[]): void {
  for (const record of records) {
    writer.uint32(pastEventsTag);
    if (record.encoded !== undefined) {
      writer.bytes(record.encoded);
    } else {
      writer.fork();
      writeEvent(writer, record.event);
      writer.join();
    }
  }
}

/** Splits what `encodeFrames` made. @throws RangeError when the bytes are not such frames */
export function decodeFrames(frames: Uint8Array): EventRecord[] {
  const records: EventRecord[] = [];
  const reader = new BinaryReader(frames);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field !== pastEventsField || wireType !== WireType.LengthDelimited) {
      throw new RangeError(`not a history frame at byte ${reader.pos}`);
    }
    records.push(EventRecord.fromBytes(reader.bytes()));
  }
  return records;
}

/** What follows the first `count` frames. */
export function skipFrames(frames: Uint8Array, count: number): Uint8Array {
  const reader = new BinaryReader(frames);
  for (let index = 0; index < count && reader.pos < reader.len; index += 1) {
    reader.tag();
    const length = reader.uint32();
    reader.pos += length;
  }
  return frames.subarray(reader.pos);
}
