// SPDX-License-Identifier: Apache-2.0

import { hasEnded } from "../../core/status.js";
import { EngineError } from "../../errors.js";
import type { Row } from "../../store/codec.js";
import { loadOlder } from "../loader.js";
import { drop } from "../purge.js";
import type { Runtime } from "../runtime.js";
import { readOlderRows, removingWrites, unkeepingWrites } from "./older-executions.js";

/**
 * Deletes the present execution of an instance, whose time is up, and of the older ones those that are
 * newer than the newest that is still to be kept: that one takes its place, so that each is deleted by
 * its own time, and the id goes on counting its executions. With none to be kept the id is free.
 * @throws INSTANCE_EXISTS when the id is used again, INSTANCE_DAMAGED
 */
export async function removePresent(
  runtime: Runtime,
  instanceId: string,
  present: Row,
  isKept: (older: Row) => boolean,
): Promise<void> {
  const check = (state: Parameters<typeof hasEnded>[0]): void => {
    if (state.executionId !== present.executionId || !hasEnded(state)) throw used(instanceId);
  };
  const rows = present.generation <= 1 ? [] : await readOlderRows(runtime.store, instanceId);
  const newest = rows.find(isKept);
  const gone = newest === undefined ? rows : rows.slice(0, rows.indexOf(newest));
  const extra = gone.flatMap((row) => removingWrites(instanceId, row));
  if (newest !== undefined) extra.push(...unkeepingWrites(instanceId, newest));
  const older = newest && (await loadOlder(runtime.store, instanceId, newest));
  await runtime.mailboxes.run(instanceId, (mailbox) => {
    if (mailbox.state === undefined) throw used(instanceId);
    // The older ones are those that were read: none comes but with another present one.
    check(mailbox.state);
    if (older === undefined) return drop(runtime, mailbox, extra);
    mailbox.restore(older, extra);
    mailbox.lastCommit = runtime.journal.commit(mailbox, true);
    return mailbox.lastCommit;
  });
}

function used(instanceId: string): EngineError {
  return new EngineError("INSTANCE_EXISTS", `'${instanceId}' is used again`);
}
