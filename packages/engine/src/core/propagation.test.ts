// SPDX-License-Identifier: Apache-2.0

import { type EventRecord, HistoryPropagationScope, type WorkflowAction } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import {
  child,
  complete,
  continueWith,
  detached,
  given,
  lineage,
  own,
  schedule,
} from "../../test/actions.js";
import { givenHistory } from "../../test/propagated.js";
import { PureInstance } from "../../test/pure-instance.js";
import { receive } from "./command/receive.js";
import { type RerunFacts, rerun } from "./command/rerun.js";
import { start } from "./command/start.js";
import type { Message, Outcome } from "./outcome.js";
import { eventsUpTo, isScope, needsHistory, propagate } from "./propagation.js";

const appId = "shop";

/** A turn of an instance that has its history at hand. */
function turnOf(instance: PureInstance, actions: readonly WorkflowAction[]): Outcome {
  return instance.turn(actions, { history: instance.history, appId });
}

function first({ messages }: Outcome): Message {
  const [message] = messages;
  if (message === undefined) throw new Error("nothing was sent");
  return message;
}

/** The child that a message starts. */
function childOf(message: Message): PureInstance {
  const instance = new PureInstance();
  const outcome = receive(undefined, message, instance.now);
  instance.do(outcome);
  return instance;
}

/** A parent with one activity behind it, which asks for a child with this scope. */
function parentOf(scope: HistoryPropagationScope): { parent: PureInstance; message: Message } {
  const parent = PureInstance.after([schedule(0, "charge")]);
  parent.activity(0, '"ok"');
  return { parent, message: first(turnOf(parent, [given(child(1, "pay", "pay-1"), scope)])) };
}

const parentKinds = [
  "workflowStarted",
  "executionStarted",
  "taskScheduled",
  "workflowStarted",
  "taskCompleted",
  "childWorkflowInstanceCreated",
];

describe("a child that is asked for with a scope", () => {
  test("is given its parent's events up to the asking, as one chunk", () => {
    const { message, parent } = parentOf(own);
    expect(givenHistory(message.propagated)).toEqual({
      scope: own,
      chunks: [{ instanceId: "order-1", workflow: "order", appId, kinds: parentKinds }],
    });
    expect(parent.history.at(-1)?.event.eventType.value).toMatchObject({
      historyPropagationScope: own,
    });
  });

  test("is given with lineage what its parent was given, before the parent's own", () => {
    const middle = childOf(parentOf(lineage).message);
    const message = first(turnOf(middle, [given(child(0, "ship", "ship-1"), lineage)]));
    const found = givenHistory(message.propagated);
    expect(found?.scope).toBe(lineage);
    expect(found?.chunks.map(({ instanceId }) => instanceId)).toEqual(["order-1", "pay-1"]);
    expect(found?.chunks[1]?.kinds).toEqual([
      "workflowStarted",
      "executionStarted",
      "childWorkflowInstanceCreated",
    ]);
  });

  test("sees nothing beyond its parent without lineage", () => {
    const middle = childOf(parentOf(lineage).message);
    const message = first(turnOf(middle, [given(child(0, "ship", "ship-1"), own)]));
    expect(givenHistory(message.propagated)?.chunks.map(({ workflow }) => workflow)).toEqual([
      "pay",
    ]);
  });

  test.each([child(1, "pay", "pay-1"), given(child(1, "pay", "pay-1"), 0), detached(1, "d", "d")])(
    "is given nothing without one, and a detached workflow never",
    (action) => {
      const middle = childOf(parentOf(lineage).message);
      expect(first(turnOf(middle, [action]))).not.toHaveProperty("propagated");
    },
  );

  test("loses it when its id is used again", () => {
    const instance = childOf(parentOf(own).message);
    instance.turn([complete(0)]);
    expect(instance.state.propagated).toBeDefined();
    const facts = { executionId: "execution-2", input: undefined, startAt: 0, tags: {} };
    const common = { instanceId: "pay-1", workflow: "pay", enforceUniqueInstanceId: false };
    instance.do(start(instance.state, { ...facts, ...common, traceContext: undefined }, 50));
    expect(instance.state.propagated).toBeUndefined();
  });
});

describe("the next execution", () => {
  test("is given what the one before was given, and that one's events", () => {
    const instance = childOf(parentOf(lineage).message);
    turnOf(instance, [continueWith(0)]);
    const found = givenHistory(instance.state.propagated);
    expect(found?.scope).toBe(lineage);
    expect(found?.chunks.map(({ instanceId }) => instanceId)).toEqual(["order-1", "pay-1"]);
    expect(found?.chunks[1]?.kinds).toEqual(["workflowStarted", "executionStarted"]);
  });

  test("is given only that one's events where there is no lineage", () => {
    const instance = childOf(parentOf(own).message);
    turnOf(instance, [continueWith(0)]);
    turnOf(instance, [continueWith(0)]);
    const found = givenHistory(instance.state.propagated);
    expect(found?.chunks.map(({ instanceId }) => instanceId)).toEqual(["pay-1"]);
  });

  test("of an instance that was given nothing is given nothing", () => {
    const instance = new PureInstance();
    turnOf(instance, [continueWith(0)]);
    expect(instance.state.propagated).toBeUndefined();
  });
});

describe("a rerun", () => {
  const facts: RerunFacts = {
    instanceId: "again",
    executionId: "execution-2",
    eventId: 1,
    replaceInput: undefined,
    childInstanceId: undefined,
    createId: () => "minted",
    appId,
  };

  test("gives its child the history of the new instance", () => {
    const { history, state } = parentOf(lineage).parent;
    const { instanceId, workflow, tags } = state;
    const source = { instanceId, workflow, tags, history, hasEnded: true, isChild: false };
    const found = givenHistory(first(rerun(undefined, source, facts, 5000)).propagated);
    expect(found).toEqual({
      scope: lineage,
      chunks: [{ instanceId: "again", workflow: "order", appId, kinds: parentKinds }],
    });
  });
});

describe("propagate()", () => {
  const source = { instanceId: "a", workflow: "w", propagated: undefined, appId };

  test("hands nothing on by a scope that nobody knows", () => {
    expect(propagate(source, 7 as HistoryPropagationScope, [])).toBeUndefined();
    expect([undefined, HistoryPropagationScope.NONE].map(isScope)).toEqual([false, false]);
  });

  test("hands on a history with lineage where there is none above it", () => {
    expect(givenHistory(propagate(source, lineage, []))?.chunks).toHaveLength(1);
  });
});

describe("needsHistory()", () => {
  test.each<[string, WorkflowAction, Uint8Array | undefined, boolean]>([
    ["a child with a scope", given(child(0, "pay"), own), undefined, true],
    ["a child without", child(0, "pay"), Uint8Array.of(), false],
    ["an activity, which is given it later", given(schedule(0, "x"), own), undefined, false],
    ["continue-as-new of one that was given something", continueWith(0), Uint8Array.of(), true],
    ["continue-as-new of another", continueWith(0), undefined, false],
    ["an end", complete(0), Uint8Array.of(), false],
  ])("for %s", (_what, action, propagated, expected) => {
    expect(needsHistory({ propagated }, [action])).toBe(expected);
  });
});

describe("eventsUpTo()", () => {
  test("ends with the scheduling of the task, and is nothing where that is not there", () => {
    const instance = PureInstance.after([schedule(0, "a"), schedule(1, "b")]);
    const kinds = (events: readonly EventRecord[] | undefined) => events?.length;
    expect(kinds(eventsUpTo(instance.history, 0))).toBe(3);
    expect(kinds(eventsUpTo(instance.history, 1))).toBe(4);
    expect(eventsUpTo(instance.history, 2)).toBeUndefined();
  });
});
