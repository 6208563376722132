// SPDX-License-Identifier: Apache-2.0

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type HistoryEvent, HistoryEventSchema } from "./gen/durabletask/history_events_pb.js";
import { plainEventType } from "./plain-event.js";

/** What kinds of event there are: the names of the oneof in the Durable Task HistoryEvent. */
export type HistoryEventType = NonNullable<
  Extract<MessageInitShape<typeof HistoryEventSchema>, { $typeName?: never }>["eventType"]
>;

// Timestamps and events by constructor: they live as long as what is under way, and where they were object
// literals V8 would soon put all of them into the old generation at once.

class Instant implements Timestamp {
  readonly $typeName = "google.protobuf.Timestamp";
  seconds: bigint;
  nanos: number;

  constructor(seconds: bigint, nanos: number) {
    this.seconds = seconds;
    this.nanos = nanos;
  }
}

class PlainEvent implements HistoryEvent {
  readonly $typeName = "HistoryEvent";
  eventId: number;
  timestamp?: Timestamp;
  eventType: HistoryEvent["eventType"];

  constructor(eventId: number, timestamp: Timestamp, eventType: HistoryEvent["eventType"]) {
    this.eventId = eventId;
    this.timestamp = timestamp;
    this.eventType = eventType;
  }
}

/** The second that was asked for last: most events are of the same one, and a big integer costs more than they do. */
let latestSecond = 0;
let latestSeconds = 0n;

/** Turns an instant (milliseconds since 1970) into a protobuf timestamp. */
export function toTimestamp(atMs: number): Timestamp {
  const second = Math.floor(atMs / 1000);
  if (second !== latestSecond) {
    latestSeconds = BigInt(second);
    latestSecond = second;
  }
  return new Instant(latestSeconds, Math.round((atMs - second * 1000) * 1_000_000));
}

/** The first and the last second of the years 1 to 9999. */
const [firstSeconds, lastSeconds] = [-62_135_596_800n, 253_402_300_799n];
const lastNanos = 999_999_999;

/**
 * The nearest timestamp that there can be (timestamp.proto: of the years 1 to 9999) to one that a caller or a worker
 * gave, as for a wait without a limit. JSON has no others: one of them would refuse the whole message.
 */
export function nearestTimestamp(given: Timestamp): Timestamp {
  const { seconds, nanos } = given;
  if (seconds > lastSeconds) return new Instant(lastSeconds, lastNanos);
  if (seconds < firstSeconds) return new Instant(firstSeconds, 0);
  if (nanos >= 0 && nanos <= lastNanos) return given;
  return new Instant(seconds, nanos < 0 ? 0 : lastNanos);
}

/**
 * `toTimestamp` of an instant that a caller or a worker gave.
 * @throws RangeError in protobuf-es' words when it is no number, or without end
 */
export function toNearestTimestamp(atMs: number): Timestamp {
  if (!Number.isFinite(atMs)) throw new RangeError(`cannot encode ${atMs} as a time`);
  return nearestTimestamp(toTimestamp(atMs));
}

/**
 * Turns a protobuf timestamp into an instant (milliseconds since 1970), rounded up: what is due at
 * the timestamp is never early at the instant.
 */
export function fromTimestamp(timestamp: Timestamp): number {
  return Number(timestamp.seconds) * 1000 + Math.ceil(timestamp.nanos / 1_000_000);
}

/**
 * Makes a history event. `eventId` is the action's id for events that record an action and -1 for
 * all others; `atMs` is in milliseconds since 1970.
 */
export function historyEvent(
  eventId: number,
  atMs: number,
  eventType: HistoryEventType,
): HistoryEvent {
  const type = plainEventType(eventType) ?? create(HistoryEventSchema, { eventType }).eventType;
  return new PlainEvent(eventId, toTimestamp(atMs), type);
}
