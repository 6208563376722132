// SPDX-License-Identifier: Apache-2.0

import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  ActivityResultSchema,
  limits,
  TurnResultSchema,
  WorkerAnnouncementSchema,
  type WorkflowActionSchema,
  WorkRequestSchema,
} from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { WorkRequestQueue } from "./work-request-queue.js";

/** Bytes that a server reads of one message (docs/workers.md). */
const messageBytes = 4 * limits.requestBytes;

/** How many results there are in all messages, and the bytes of the largest. */
async function drain(queue: WorkRequestQueue): Promise<{ results: number; largest: number }> {
  queue.end();
  let results = 0;
  let largest = 0;
  for await (const request of queue) {
    results += request.turns.length + request.activities.length;
    largest = Math.max(largest, toBinary(WorkRequestSchema, request).byteLength);
  }
  return { results, largest };
}

/** A queue with as many results of turns as one message may have. */
function withTurns(turn: MessageInitShape<typeof TurnResultSchema>): WorkRequestQueue {
  const queue = new WorkRequestQueue(create(WorkerAnnouncementSchema));
  for (let number = 0; number < 256; number += 1) {
    queue.pushTurn(create(TurnResultSchema, { instanceId: `i-${number}`, ...turn }));
  }
  return queue;
}

describe("results that are ready together stay within what a server reads when they have", () => {
  test("many small actions", async () => {
    const action: MessageInitShape<typeof WorkflowActionSchema> = {
      workflowActionType: {
        case: "scheduleTask",
        value: { name: "send-a-letter-to-the-customer", taskExecutionId: "x".repeat(36) },
      },
    };
    const actions = Array.from({ length: 1000 }, (_, id) => ({ ...action, id }));
    const { results, largest } = await drain(withTurns({ actions }));

    expect(results).toBe(256);
    expect(largest).toBeLessThan(messageBytes);
  });

  test("long custom statuses", async () => {
    const { results, largest } = await drain(withTurns({ customStatus: "x".repeat(100_000) }));

    expect(results).toBe(256);
    expect(largest).toBeLessThan(messageBytes);
  });

  test("events that are carried over", async () => {
    const input = "x".repeat(100_000);
    const carryoverEvents = [{ eventType: { case: "eventRaised", value: { input } } } as const];
    const type = { case: "completeWorkflow", value: { carryoverEvents } } as const;
    const { results, largest } = await drain(
      withTurns({ actions: [{ workflowActionType: type }] }),
    );

    expect(results).toBe(256);
    expect(largest).toBeLessThan(messageBytes);
  });

  test("long failures", async () => {
    const queue = new WorkRequestQueue(create(WorkerAnnouncementSchema));
    const cause = { type: "Error", message: "why", stackTrace: "y".repeat(50_000) };
    const failure = { type: "Error", message: "x".repeat(50_000), cause };
    for (let taskId = 0; taskId < 256; taskId += 1) {
      queue.pushActivity(create(ActivityResultSchema, { instanceId: "i", taskId, failure }));
    }
    const { results, largest } = await drain(queue);

    expect(results).toBe(256);
    expect(largest).toBeLessThan(messageBytes);
  });
});
