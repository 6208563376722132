// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { child, complete, detached, sendEvent, timer } from "../../../test/actions.js";
import { PureInstance } from "../../../test/pure-instance.js";
import { applyOutcome } from "../apply-outcome.js";
import { inboundRecord, terminatedRecord } from "../event.js";
import { type Message, nothing } from "../outcome.js";
import type { InstanceState } from "../state.js";
import { droppedStart, receive, refuseStart } from "./receive.js";

/** The one message that a turn with this action sends. */
function messageOf(action: Parameters<PureInstance["turn"]>[0][number]): Message {
  const sender = new PureInstance({ instanceId: "parent", executionId: "parent-1" });
  const [message] = sender.turn([action]).messages;
  if (message === undefined) throw new Error("no message was sent");
  return message;
}

const childStart = messageOf(child(4, "pay", "order-1", '"x"'));

describe("receive() of a start", () => {
  test("begins a child with the link to its parent", () => {
    const outcome = receive(undefined, childStart, 9);
    expect(outcome.beginning).toMatchObject({
      instanceId: "order-1",
      workflow: "pay",
      generation: 1,
      createdAt: 9,
      startAt: 0,
      parent: { instanceId: "parent", executionId: "parent-1", taskId: 4 },
    });
    expect(outcome.accepted).toEqual([childStart.record]);
  });

  test("begins a detached workflow with its start time and tags, and no parent", () => {
    const message = messageOf(
      detached(4, "pay", "order-1", { startAt: 5000, tags: { a: "b" }, input: '"x"' }),
    );
    expect(receive(undefined, message, 9).beginning).toMatchObject({
      startAt: 5000,
      tags: { a: "b" },
      parent: undefined,
    });
  });

  test("begins an ended id anew", () => {
    const { state } = PureInstance.after([complete(0)]);
    expect(receive(state, childStart, 9).beginning).toMatchObject({ generation: 2 });
  });

  test("is taken once", () => {
    const state = applyOutcome(undefined, receive(undefined, childStart, 9));
    expect(receive(state, childStart, 10)).toBe(nothing);
  });

  test("fails the parent's task when the id is taken", () => {
    const { state } = PureInstance.after([timer(0, 5000)]);
    const { beginning, accepted, messages } = receive(state, childStart, 9);
    expect(beginning).toBeUndefined();
    expect(accepted).toEqual([]);
    expect(messages).toMatchObject([{ targetId: "parent", targetExecutionId: "parent-1" }]);
    expect(messages[0]?.record.event.eventType).toMatchObject({
      case: "childWorkflowInstanceFailed",
      value: {
        taskScheduledId: 4,
        failureDetails: {
          errorType: "WorkflowInstanceAlreadyExists",
          errorMessage: "an active workflow with ID 'order-1' already exists",
        },
      },
    });
  });

  test("fails the parent's task when the ended id has a child that goes on", () => {
    const { state } = PureInstance.after([complete(0)]);
    const { beginning, messages } = receive(state, childStart, 9, "pay-1");
    expect(beginning).toBeUndefined();
    expect(messages[0]?.record.event.eventType.value).toMatchObject({
      failureDetails: { errorMessage: expect.stringContaining("child workflow 'pay-1'") },
    });
  });

  test("drops a detached start when the id is taken", () => {
    const { state } = PureInstance.after([timer(0, 5000)]);
    const outcome = receive(state, messageOf(detached(4, "pay", "order-1")), 9);
    expect(outcome).toEqual({ accepted: [], messages: [] });
  });

  test("that is dropped is told from one that is taken, was taken, or fails its parent's task", () => {
    const { state } = PureInstance.after([timer(0, 5000)]);
    const free = messageOf(detached(4, "pay", "order-1"));
    const dropped = (message: Message, of?: InstanceState): string | undefined =>
      droppedStart(message, receive(of, message, 9));
    expect(dropped(free, state)).toBe("pay");
    expect(dropped(free)).toBeUndefined();
    expect(dropped(childStart, state)).toBeUndefined();
    const taken = applyOutcome(undefined, receive(undefined, free, 9));
    expect(dropped(free, taken)).toBeUndefined();
    expect(dropped(messageOf(sendEvent(7, "order-1", "paid")), state)).toBeUndefined();
  });

  test("that cannot be taken at all fails the parent's task, if there is one", () => {
    expect(refuseStart(childStart, "damaged", 9)).toMatchObject({
      targetId: "parent",
      targetExecutionId: "parent-1",
      record: { event: { eventType: { value: { failureDetails: { errorMessage: "damaged" } } } } },
    });
    expect(refuseStart(messageOf(detached(4, "pay", "order-1")), "damaged", 9)).toBeUndefined();
    expect(refuseStart(messageOf(sendEvent(7, "order-1", "paid")), "damaged", 9)).toBeUndefined();
  });

  test("takes a start that says nothing of who and where from", () => {
    const record = inboundRecord(5, {
      case: "executionStarted",
      value: { name: "pay", parentInstance: { taskScheduledId: 1 } },
    });
    expect(receive(undefined, { targetId: "order-1", record }, 9).beginning).toMatchObject({
      executionId: "",
      parent: { instanceId: "", executionId: "", taskId: 1 },
    });
  });
});

describe("receive() of anything else", () => {
  const event = messageOf(sendEvent(0, "order-1", "paid", '"x"'));
  const terminating: Message = {
    targetId: "order-1",
    record: terminatedRecord(5, undefined, true),
  };

  test("is dropped when there is no such instance", () => {
    expect(receive(undefined, event, 9)).toBe(nothing);
    expect(receive(undefined, terminating, 9)).toBe(nothing);
  });

  test("goes into the inbox", () => {
    const { state } = PureInstance.after([timer(0, 5000)]);
    expect(receive(state, event, 9)).toEqual({ accepted: [event.record], messages: [] });
    expect(receive(state, terminating, 9).accepted).toEqual([terminating.record]);
  });

  test("is dropped by an ended instance, but a terminate goes on to the children", () => {
    const { state } = PureInstance.after([child(0, "pay", "pay-1"), complete(1)]);
    expect(receive(state, event, 9)).toBe(nothing);
    expect(receive(state, terminating, 9).messages).toMatchObject([{ targetId: "pay-1" }]);
  });

  test("is dropped when it was meant for another execution", () => {
    const { state } = PureInstance.after([timer(0, 5000)]);
    expect(receive(state, { ...event, targetExecutionId: "execution-0" }, 9)).toBe(nothing);
    expect(receive(state, { ...event, targetExecutionId: "execution-1" }, 9)).not.toBe(nothing);
  });

  test("takes a terminate from above only as a child of that execution", () => {
    const { state } = PureInstance.after([timer(0, 5000)]);
    const fromAbove = { ...terminating, targetExecutionId: "parent-1" };
    const link = { instanceId: "parent", executionId: "parent-1", taskId: 4 };
    expect(receive(state, fromAbove, 9)).toBe(nothing);
    expect(receive({ ...state, parent: { ...link, executionId: "x" } }, fromAbove, 9)).toBe(
      nothing,
    );
    expect(receive({ ...state, parent: link }, fromAbove, 9).accepted).toHaveLength(1);
  });

  test("takes a child's result once", () => {
    const instance = PureInstance.after([child(0, "pay", "pay-1")]);
    const record = inboundRecord(9, {
      case: "childWorkflowInstanceCompleted",
      value: { taskScheduledId: 0 },
    });
    const message = { targetId: "order-1", targetExecutionId: "execution-1", record };
    instance.do(receive(instance.state, message, 9));
    expect(instance.state.inbox).toEqual([record]);
    expect(receive(instance.state, message, 10)).toBe(nothing);
  });
});
