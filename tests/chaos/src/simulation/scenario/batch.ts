// SPDX-License-Identifier: Apache-2.0

import type { Batch, BatchCommand } from "@pawl/engine";
import { begin, type Scenario, type Stage } from "./scenario.ts";

/**
 * Instances that wait for ever, a batch that ends them and one that purges them. Each is asked for until
 * somebody answers, which does not begin it twice, and is carried out over whatever lives the server has.
 */
export const batches: Scenario = async (stage) => {
  const { caller, world } = stage;
  const group = stage.newId("batched");
  const ids = Array.from({ length: world.random.integer(1, 5) }, (_, at) => `${group}.${at}`);
  for (const id of ids) {
    caller.meddled.add(id);
    await begin(stage, id, [{ do: "collect", renewAfter: 0 }]);
  }
  const filter = { instanceIdPrefix: `${group}.` };
  await runBatch(stage, ids.length, { action: "terminate", filter, batchId: `end-${group}` });
  for (const id of ids) {
    const end = await caller.insist(() => caller.waitForEnd(id));
    if (end.kind === "value" && end.value.status === "terminated") continue;
    world.violation("a batch reaches each that it matched", `${id}: ${end.kind}`);
  }
  world.hasPurged = true;
  await runBatch(stage, ids.length, { action: "purge", filter, batchId: `purge-${group}` });
  for (const id of ids) {
    const gone = await caller.insist(() => caller.get(id));
    if (gone.kind === "value" && gone.value === undefined) continue;
    world.violation("a batch reaches each that it matched", `${id} is not purged`);
  }
};

/** Asks for a batch until it is taken, and looks at it until it has ended. */
async function runBatch(
  { caller, world }: Stage,
  matched: number,
  command: BatchCommand & { readonly batchId: string },
): Promise<void> {
  const { batchId } = command;
  const note = (found: string): void =>
    world.violation("a batch does all of its work", `${batchId}: ${found}`);
  const taken = await caller.insist(() =>
    world.call(`batch ${batchId}`, (engine) => engine.startBatch(command)),
  );
  if (taken.kind === "refused") return note(taken.code);
  for (let before = 0; ; ) {
    const answer = await caller.insist(() =>
      world.call(`look at ${batchId}`, (engine) => engine.getBatch(batchId)),
    );
    const batch: Batch | undefined = answer.kind === "value" ? answer.value : undefined;
    if (batch === undefined) return note("it is not known any more");
    const { doneCount } = batch;
    if (doneCount < before || doneCount > matched) note(`${doneCount} done after ${before}`);
    before = doneCount;
    if (batch.completedAt !== undefined) {
      const { status, matchedCount, failedCount } = batch;
      const isWhole = matchedCount === matched && doneCount === matched && failedCount === 0;
      if (status !== "completed" || !isWhole) {
        note(`${status}: ${doneCount} and ${failedCount} failed of ${matchedCount} of ${matched}`);
      }
      return;
    }
    await caller.pause(100);
  }
}
