// SPDX-License-Identifier: Apache-2.0

import { isEngineError } from "../errors.js";
import { decodeMessage } from "../store/codec.js";
import { instanceIdOf, kindRange, partitionCount, sequenceOf } from "../store/key.js";
import type { Runtime } from "./runtime.js";

/** Instances that are read side by side. */
const parallel = 64;

/** What a recovery found. */
export interface Recovered {
  readonly instances: number;
  readonly messages: number;
  /** Instances that are damaged: they are parked, the others are served. */
  readonly damaged: number;
}

/**
 * Takes up all work that was not finished: turns and activities of instances with work at hand,
 * messages on their way, timers. Costs in proportion to that work, not to what is stored.
 */
export async function recover(runtime: Runtime): Promise<Recovered> {
  const posted = await readOutbox(runtime);
  let instances = 0;
  let damaged = 0;
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const marks = await runtime.store.range(kindRange("live", partition));
    const ids = marks.map(([key]) => instanceIdOf(key));
    instances += ids.length;
    for (let at = 0; at < ids.length; at += parallel) {
      const taken = ids.slice(at, at + parallel).map((id) => takeUp(runtime, id));
      damaged += (await Promise.all(taken)).filter((intact) => !intact).length;
    }
  }
  for (const message of posted) runtime.deliver(message);
  await runtime.timers.open();
  return { instances, messages: posted.length, damaged };
}

async function readOutbox(runtime: Runtime): Promise<Parameters<Runtime["deliver"]>[0][]> {
  const posted: Parameters<Runtime["deliver"]>[0][] = [];
  for (let partition = 0; partition < partitionCount; partition += 1) {
    for (const [key, value] of await runtime.store.range(kindRange("outbox", partition))) {
      runtime.skipOutboxSequence(sequenceOf(key));
      posted.push({ key, message: decodeMessage(value) });
    }
  }
  return posted;
}

/** False when the instance is damaged. */
async function takeUp(runtime: Runtime, instanceId: string): Promise<boolean> {
  try {
    await runtime.mailboxes.run(instanceId, (mailbox) => {
      const { state } = mailbox;
      for (const task of [...(state?.fold.tasks.values() ?? [])]) {
        // A result that waits in the inbox needs no second run.
        if (state === undefined || state.arrived.has(`task ${task.taskId}`)) continue;
        runtime.desk.schedule(mailbox, { executionId: state.executionId, task });
      }
      runtime.wake(mailbox);
    });
    return true;
  } catch (error) {
    if (!isEngineError(error) || error.code !== "INSTANCE_DAMAGED") throw error;
    const reason = error.message;
    runtime.options.logger.error({ instanceId, reason }, "an instance is damaged and was parked");
    return false;
  }
}
