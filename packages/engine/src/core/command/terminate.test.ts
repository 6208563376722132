// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { child, complete, schedule, timer } from "../../../test/actions.js";
import { kindsOf, PureInstance } from "../../../test/pure-instance.js";
import { nothing } from "../outcome.js";
import { raiseEvent } from "./raise-event.js";
import { receive } from "./receive.js";
import { isTerminating, terminate, terminateChildren, terminateNow } from "./terminate.js";

const recursive = { output: '"bye"', recursive: true };
const single = { output: undefined, recursive: false };

describe("terminate()", () => {
  test("puts the wish into the inbox", () => {
    const { state } = PureInstance.after([timer(0, 5000)]);
    const { accepted, messages } = terminate(state, recursive, 9);
    expect(accepted[0]?.event.eventType).toMatchObject({
      case: "executionTerminated",
      value: { input: '"bye"', recurse: true },
    });
    expect(messages).toEqual([]);
  });

  test("leaves out an output that was not given", () => {
    const { state } = PureInstance.after([]);
    const [record] = terminate(state, single, 9).accepted;
    expect(record?.event.eventType.value).not.toHaveProperty("input");
    expect(record?.event.eventType.value).toMatchObject({ recurse: false });
  });

  test("goes through an ended instance to its children, each once", () => {
    const { state } = PureInstance.after([
      child(0, "pay", "pay-1"),
      child(1, "ship", "ship-1"),
      child(2, "pay", "pay-1"),
      complete(3),
    ]);
    const { accepted, messages } = terminate(state, recursive, 9);
    expect(accepted).toEqual([]);
    expect(messages).toMatchObject([
      { targetId: "pay-1", targetExecutionId: "execution-1" },
      { targetId: "ship-1", targetExecutionId: "execution-1" },
    ]);
    expect(messages[0]?.record.event.eventType).toMatchObject({
      case: "executionTerminated",
      value: { input: '"bye"', recurse: true },
    });
  });

  test("does nothing to an ended instance when it is not recursive", () => {
    const { state } = PureInstance.after([child(0, "pay", "pay-1"), complete(1)]);
    expect(terminate(state, single, 9)).toBe(nothing);
  });
});

describe("terminateNow()", () => {
  test("ends the instance with the inbox up to the terminate in history", () => {
    const instance = PureInstance.after([timer(0, 5000)], {});
    instance.do(raiseEvent(instance.state, { name: "before", input: undefined }, 10));
    instance.do(terminate(instance.state, recursive, 11));
    instance.do(raiseEvent(instance.state, { name: "after", input: undefined }, 12));
    expect(isTerminating(instance.state)).toBe(true);
    const outcome = instance.do(terminateNow(instance.state, 13));
    expect(kindsOf(outcome.turn?.appended ?? [])).toEqual([
      "workflowStarted",
      "eventRaised",
      "executionTerminated",
      "executionCompleted",
    ]);
    expect(outcome.turn?.appended.at(-1)?.event).toMatchObject({
      eventId: -1,
      eventType: { value: { result: '"bye"' } },
    });
    expect(instance.state.fold.end).toBe("terminated");
    expect(instance.state.fold.timers.size).toBe(0);
  });

  test("keeps the custom status", () => {
    const instance = PureInstance.after([]);
    instance.turn([], { customStatus: "half way" });
    instance.do(terminate(instance.state, single, 11));
    instance.do(terminateNow(instance.state, 12));
    expect(instance.state.customStatus).toBe("half way");
  });

  test("does nothing when no terminate waits", () => {
    const instance = new PureInstance();
    expect(isTerminating(instance.state)).toBe(false);
    expect(terminateNow(instance.state, 9)).toBe(nothing);
  });

  test("does nothing to an ended instance, though a terminate came too late", () => {
    const instance = PureInstance.after([]);
    instance.do(raiseEvent(instance.state, { name: "go", input: undefined }, 10));
    instance.do(terminate(instance.state, single, 11));
    instance.turn([complete(0)], { take: 1 });
    expect(isTerminating(instance.state)).toBe(true);
    expect(terminateNow(instance.state, 12)).toBe(nothing);
  });

  test("passes on to the children only when it is recursive", () => {
    for (const [facts, targets] of [
      [recursive, ["pay-1"]],
      [single, []],
    ] as const) {
      const instance = PureInstance.after([child(0, "pay", "pay-1"), schedule(1, "mail")]);
      instance.do(terminate(instance.state, facts, 11));
      const { messages } = terminateNow(instance.state, 12);
      expect(messages.map((message) => message.targetId)).toEqual(targets);
    }
  });

  test("tells the parent", () => {
    const parent = PureInstance.after([], { instanceId: "parent", executionId: "parent-1" });
    const [started] = parent.turn([child(0, "order", "order-1")]).messages;
    if (started === undefined) throw new Error("no child was started");
    const instance = new PureInstance();
    instance.do(receive(undefined, started, 10));
    instance.do(terminate(instance.state, single, 11));
    const { messages } = terminateNow(instance.state, 12);
    expect(messages).toMatchObject([{ targetId: "parent", targetExecutionId: "parent-1" }]);
    expect(messages[0]?.record.event.eventType).toMatchObject({
      case: "childWorkflowInstanceFailed",
      value: { taskScheduledId: 0, failureDetails: { errorType: "WorkflowTerminated" } },
    });
  });
});

describe("terminateChildren()", () => {
  test("has no message for an instance without children", () => {
    expect(terminateChildren(new PureInstance().state, undefined, 9)).toEqual([]);
  });
});
