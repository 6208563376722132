// SPDX-License-Identifier: Apache-2.0

import { withDeadline } from "./async/deadline.js";
import type { Batch, BatchPort, InstanceFilter } from "./port.js";
import { asked } from "./remote/rpc-error.js";

/** How a batch is started. */
export interface BatchOptions {
  /**
   * Which instances: those that it lets through when the batch begins. Without `statuses`, those that
   * the action is for: open ones; for a purge or rerun, ended ones; for a purge by force, all.
   */
  readonly filter: InstanceFilter;
  /** A filter without any condition is meant. @default false */
  readonly allInstances?: boolean;
  /** The same request under the same id is the same batch. @default a random UUID */
  readonly batchId?: string;
  /** Of a suspend or resume: why. */
  readonly reason?: string;
  /** Of a terminate: becomes the instances' output. */
  readonly output?: unknown;
  /** Of a terminate or purge: child workflows too. @default true */
  readonly recursive?: boolean;
  /** Of a purge: also what has not ended. @default false */
  readonly force?: boolean;
  /**
   * Of a rerun: the event of each instance to begin with. The new instance has the id of the old one,
   * a colon, and the batch's id. @default 0
   */
  readonly eventId?: number;
}

/** One command that the server carries out on many instances, also when its caller has gone. */
export class BatchHandle {
  readonly batchId: string;
  readonly #port: BatchPort;

  /** @internal use `client.startBatch` or `client.batch` */
  constructor(port: BatchPort, batchId: string) {
    this.#port = port;
    this.batchId = batchId;
  }

  /** How far it is; `undefined` when there is no such batch. */
  async get(): Promise<Batch | undefined> {
    return asked(this.#port.getBatch(this.batchId));
  }

  /** Resolves when it has ended. @throws BATCH_NOT_FOUND, DEADLINE_EXCEEDED, CANCELLED */
  async result(
    options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<Batch> {
    return withDeadline(options.timeoutMs, options.signal, (signal) =>
      asked(this.#port.waitForBatch(this.batchId, signal === undefined ? {} : { signal })),
    );
  }

  /** Ends it where it is; what it has done stays done. @throws BATCH_NOT_FOUND */
  async cancel(): Promise<Batch> {
    return asked(this.#port.cancelBatch(this.batchId));
  }
}
