// SPDX-License-Identifier: Apache-2.0

import { type RerunFacts, type RerunSource, rerun } from "../core/command/rerun.js";
import { EngineError } from "../errors.js";
import { readRun } from "./read/reader.js";
import type { Runtime } from "./runtime.js";

/**
 * Starts a new instance with the history of an ended one up to an event. Resolves once it is on disk.
 * @throws INSTANCE_NOT_FOUND, and what the command throws
 */
export async function rerunInstance(
  runtime: Runtime,
  sourceId: string,
  facts: RerunFacts,
): Promise<void> {
  const source = await requireSource(runtime, sourceId);
  await runtime.command(facts.instanceId, (state) => rerun(state, source, facts, runtime.now()));
}

/** @throws INSTANCE_NOT_FOUND, INSTANCE_DAMAGED */
async function requireSource(runtime: Runtime, instanceId: string): Promise<RerunSource> {
  const { mailboxes, store } = runtime;
  // Its end may still be on its way to the disk.
  await mailboxes.peek(instanceId)?.lastCommit;
  const run = await readRun(store, instanceId);
  if (run === undefined) {
    throw new EngineError("INSTANCE_NOT_FOUND", `no such instance exists: '${instanceId}'`, {
      details: { instanceId },
    });
  }
  const { row, history } = run;
  return {
    instanceId,
    workflow: row.workflow,
    tags: row.tags,
    hasEnded: row.completedAt > 0,
    isChild: row.parent !== undefined,
    history,
  };
}
