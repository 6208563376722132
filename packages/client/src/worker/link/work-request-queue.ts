// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import {
  type ActivityResult,
  type TurnResult,
  type WorkerAnnouncement,
  type WorkRequest,
  WorkRequestSchema,
} from "@pawl/protocol";
import { activityLength, turnLength } from "./result-length.js";

/** Results and evictions of one message at most. */
const batchItems = 256;

/** Characters after which a message is full: of one byte each, a sixteenth of what a server takes. */
const batchLength = 1024 * 1024;

interface Batch {
  readonly turns: TurnResult[];
  readonly activities: ActivityResult[];
  readonly evictedInstanceIds: string[];
  items: number;
  length: number;
}

/**
 * The worker's side of the stream: first the announcement, then results. What becomes ready while
 * the event loop goes round once, or while a message is being written, leaves as one message.
 */
export class WorkRequestQueue implements AsyncIterable<WorkRequest> {
  readonly #announcement: WorkerAnnouncement;
  readonly #full: Batch[] = [];
  #filling = createBatch();
  #hasEnded = false;
  #wake: (() => void) | undefined;

  constructor(announcement: WorkerAnnouncement) {
    this.#announcement = announcement;
  }

  /** Queues the result of a turn. */
  pushTurn(result: TurnResult): void {
    this.#room(turnLength(result)).turns.push(result);
  }

  /** Queues the result of an activity. */
  pushActivity(result: ActivityResult): void {
    this.#room(activityLength(result)).activities.push(result);
  }

  /** Queues the news that the worker no longer holds an instance. */
  pushEvicted(instanceId: string): void {
    this.#room(instanceId.length).evictedInstanceIds.push(instanceId);
  }

  /** Ends the stream after what is queued. */
  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WorkRequest> {
    yield create(WorkRequestSchema, { announcement: this.#announcement });
    for (;;) {
      const batch = this.#take();
      if (batch !== undefined) {
        const { turns, activities, evictedInstanceIds } = batch;
        yield create(WorkRequestSchema, { turns, activities, evictedInstanceIds });
      } else if (this.#hasEnded) {
        return;
      } else {
        await this.#untilWoken();
      }
    }
  }

  #room(length: number): Batch {
    const isFull = this.#filling.items >= batchItems || this.#filling.length + length > batchLength;
    if (isFull && this.#filling.items > 0) {
      this.#full.push(this.#filling);
      this.#filling = createBatch();
    }
    this.#filling.items += 1;
    this.#filling.length += length;
    this.#wake?.();
    return this.#filling;
  }

  #take(): Batch | undefined {
    const full = this.#full.shift();
    if (full !== undefined) return full;
    if (this.#filling.items === 0) return undefined;
    const batch = this.#filling;
    this.#filling = createBatch();
    return batch;
  }

  #untilWoken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        setImmediate(resolve);
      };
    });
  }
}

function createBatch(): Batch {
  return { turns: [], activities: [], evictedInstanceIds: [], items: 0, length: 0 };
}
