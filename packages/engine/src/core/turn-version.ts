// SPDX-License-Identifier: Apache-2.0

import { EventRecord, fromTimestamp, historyEvent } from "@pawl/protocol";
import { optional } from "./event.js";
import type { InstanceState, Stall } from "./state.js";

/** What a worker says of the code that ran a turn. */
export interface TurnVersion {
  /** Name of the version that ran. */
  readonly name?: string;
  /** Every patch that the replay took, in order, repeats included. */
  readonly patches: readonly string[];
}

/** The stall of an instance whose version the worker does not have (engine semantics 10.3). */
export function versionStall(state: InstanceState): Stall {
  return {
    reason: "VERSION_NOT_AVAILABLE",
    description: `Version not available: ${state.fold.version}`,
  };
}

/**
 * The stall of an instance whose worker lacks patches that history was made with, or has them in
 * another order: history's have to come first (engine semantics 10.3).
 */
export function patchStall(
  { fold }: InstanceState,
  version: TurnVersion | undefined,
): Stall | undefined {
  if (fold.patches.length === 0) return undefined;
  const reported = version?.patches ?? [];
  if (fold.patches.every((patch, at) => patch === reported[at])) return undefined;
  const description = `Patch mismatch. History patches: [${fold.patches.join(", ")}], current patches: [${reported.join(", ")}]. `;
  return { reason: "PATCH_MISMATCH", description };
}

/**
 * The turn's workflowStarted event with the version that ran, where the worker named one, and the
 * patches that history does not have yet (engine semantics 10.2).
 */
export function stampVersion(
  started: EventRecord,
  { fold }: InstanceState,
  version: TurnVersion | undefined,
): EventRecord {
  if (version === undefined) return started;
  const { name } = version;
  const patches = version.patches.slice(fold.patches.length);
  if (name === undefined && patches.length === 0) return started;
  const at = started.event.timestamp === undefined ? 0 : fromTimestamp(started.event.timestamp);
  const value = { version: { patches, ...optional("name", name) } };
  return EventRecord.of(historyEvent(-1, at, { case: "workflowStarted", value }));
}
