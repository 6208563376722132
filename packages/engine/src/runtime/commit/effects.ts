// SPDX-License-Identifier: Apache-2.0

import type { Message } from "../../core/outcome.js";
import type { OpenTask } from "../../core/state.js";
import type { TimerKey } from "../../store/key.js";

/** A message with its place in the outbox. */
export interface Posted {
  readonly key: Uint8Array;
  readonly message: Message;
}

/** A task with the execution that asked for it. */
export interface AskedTask {
  readonly executionId: string;
  readonly task: OpenTask;
}

/** What may happen only once a commit is on disk. */
export interface Effects {
  readonly tasks: readonly AskedTask[];
  readonly posted: readonly Posted[];
  readonly timers: readonly TimerKey[];
}
