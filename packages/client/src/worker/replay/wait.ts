// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import {
  type CreateTimerAction,
  CreateTimerActionSchema,
  type HistoryEvent,
  TimerOriginExternalEventSchema,
  toTimestamp,
} from "@pawl/protocol";
import { EventTimeoutError, PawlError } from "../../errors.js";
import { parsePayload } from "../../payload.js";
import type { CallHost } from "./call.js";
import type { EventQueue } from "./event-queue.js";

/** What a wait needs of the replay that it is part of. */
export interface WaitHost extends CallHost {
  readonly events: EventQueue;
  /** Gives up a task. */
  drop(id: number): void;
}

/** The last instant that a protobuf timestamp can say: 9999-12-31, in milliseconds since 1970. */
const lastInstant = 253_402_300_799_999;

/** When the timer of a wait without a timeout fires: never (engine semantics 7.3). */
const never: Timestamp = Object.freeze(
  create(TimestampSchema, { seconds: 253_402_300_799n, nanos: 999_999_999 }),
);

const ignore = (): void => {};

/** Resolves at the instant `at`. */
export function sleepUntil(host: WaitHost, at: number, name: string): Promise<void> {
  if (!Number.isFinite(at)) {
    throw new PawlError("INVALID_ARGUMENT", `not an instant to sleep until: ${at}`);
  }
  const fireAt = Math.min(Math.max(Math.ceil(at), 0), lastInstant);
  return new Promise((resolve) => {
    host.ask({
      step: { kind: "timer", origin: "sleep", name },
      action: () => {
        // A plain object of the message's shape, as every step's.
        const value: CreateTimerAction = {
          $typeName: "CreateTimerAction",
          fireAt: toTimestamp(fireAt),
          origin: { case: "createTimer", value: { $typeName: "TimerOriginCreateTimer" } },
        };
        if (name !== "") value.name = name;
        return { case: "createTimer", value };
      },
      result: () => resolve(),
      notBefore: fireAt,
    });
  });
}

/**
 * Resolves with the payload of the next event of this name. A wait that finds none makes a timer,
 * also when it has no timeout, so that what an instance waits for is written in its history.
 */
export function waitForEvent(
  host: WaitHost,
  name: string,
  timeoutMs: number | undefined,
): Promise<unknown> {
  if (timeoutMs !== undefined && !(timeoutMs >= 0)) {
    throw new PawlError("INVALID_ARGUMENT", `timeoutMs must not be negative: ${timeoutMs}`);
  }
  const present = host.events.take(name);
  if (present !== undefined) return Promise.resolve(payloadOf(present));
  const now = host.now();
  const promise = new Promise((resolve, reject) => {
    if (timeoutMs === 0) return reject(new EventTimeoutError(name, timeoutMs));
    const take = (event: HistoryEvent): void => {
      host.drop(timerId);
      resolve(payloadOf(event));
    };
    host.events.wait(name, take);
    const timerId = host.ask({
      step: { kind: "timer", origin: "event", name },
      action: () => ({
        case: "createTimer",
        value: create(CreateTimerActionSchema, {
          fireAt: timeoutAt(now, timeoutMs),
          origin: {
            case: "externalEvent",
            value: create(TimerOriginExternalEventSchema, { name }),
          },
        }),
      }),
      result: () => {
        host.events.cancel(name, take);
        reject(new EventTimeoutError(name, timeoutMs ?? Number.POSITIVE_INFINITY));
      },
    });
  });
  // The code may await it later, or never: until then its failure is not an unhandled one.
  promise.catch(ignore);
  return promise;
}

function timeoutAt(now: number, timeoutMs: number | undefined): Timestamp {
  if (timeoutMs === undefined) return never;
  const at = now + Math.ceil(timeoutMs);
  return at >= lastInstant ? never : toTimestamp(at);
}

function payloadOf(event: HistoryEvent): unknown {
  return event.eventType.case === "eventRaised"
    ? parsePayload(event.eventType.value.input)
    : undefined;
}
