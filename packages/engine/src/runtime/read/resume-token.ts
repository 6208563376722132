// SPDX-License-Identifier: Apache-2.0

import { crc32 } from "node:zlib";
import type { Instance } from "@pawl/protocol/port";
import { EngineError } from "../../errors.js";
import { isRowKey, partitionCount } from "../../store/key.js";

// A token says what its holder has seen. It is opaque to callers: JSON in base64url, checked whole
// when it comes back.

/** What the watcher of one instance has seen. */
export interface SeenInstance {
  readonly executionId: string;
  /** Events of that execution's history. */
  readonly events: number;
  /** Checksum of the state. */
  readonly state: number;
}

/** What the watcher of all instances has seen. */
export interface SeenChanges {
  /** All changes before this one, */
  readonly change: number;
  /** and so many of its instances. */
  readonly taken: number;
  /** A scan that is not done yet. */
  readonly scan?: {
    /** Rows of changes from this one on are sent, up to and with `change` - 1. */
    readonly since: number;
    /** Key of the last row that was seen, in base64url. */
    readonly after: string;
  };
}

/** Checksum of all that is seen of an instance beside its history. */
export function stateSum(instance: Instance): number {
  const { input, output, failure, ...rest } = instance;
  return crc32(JSON.stringify(rest));
}

/** Makes a token. */
export function encodeToken(seen: SeenInstance | SeenChanges): string {
  return Buffer.from(JSON.stringify(seen)).toString("base64url");
}

/** Reads a token of `watch`. @throws INVALID_ARGUMENT */
export function parseInstanceToken(token: string): SeenInstance {
  const { executionId, events, state } = parse(token);
  if (typeof executionId !== "string" || !isCount(events) || !isCount(state)) throw refused();
  return { executionId, events, state };
}

/** Reads a token of `watchAll`. `head` is the newest change there is. @throws INVALID_ARGUMENT */
export function parseChangesToken(token: string, head: number): SeenChanges {
  const { change, taken, scan } = parse(token);
  // A token of another store, or of this one before it was restored.
  if (!isCount(change) || !isCount(taken) || change > head + 1) throw refused();
  if (scan === undefined) return { change, taken };
  if (typeof scan !== "object" || scan === null) throw refused();
  const { since, after } = scan as Record<string, unknown>;
  if (!isCount(since) || typeof after !== "string" || !isPlace(after)) throw refused();
  return { change, taken, scan: { since, after } };
}

/** True for the key of a row, in base64url, and for none. */
function isPlace(after: string): boolean {
  const key = Buffer.from(after, "base64url");
  return key.length === 0 ? after === "" : isRowKey(key) && key.readUInt16BE(0) < partitionCount;
}

function parse(token: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (typeof parsed === "object" && parsed !== null) return parsed as Record<string, unknown>;
  } catch {
    // Refused below.
  }
  throw refused();
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function refused(): EngineError {
  return new EngineError(
    "INVALID_ARGUMENT",
    "the resume token is not one of this store: watch from the beginning",
    { details: { field: "resumeToken" } },
  );
}
