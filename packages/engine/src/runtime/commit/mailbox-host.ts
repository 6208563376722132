// SPDX-License-Identifier: Apache-2.0

import type { Mailbox } from "../mailbox.js";
import type { Effects } from "./effects.js";

/** What the mailbox needs of the engine. */
export interface MailboxHost {
  /** Ended executions are kept when their id is used again. */
  readonly keepsExecutions: boolean;
  now(): number;
  /** A number for the next message; no two undelivered ones share one. */
  nextOutboxSequence(): number;
  /** Called when a commit is on disk. */
  committed(mailbox: Mailbox, effects: Effects): void;
}
