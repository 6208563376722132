// SPDX-License-Identifier: Apache-2.0

import { create, fromJson } from "@bufbuild/protobuf";
import { TraceContextSchema, type WorkflowAction, WorkflowActionSchema } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import {
  child,
  complete,
  detached,
  schedule,
  sendEvent,
  terminateOther,
  versionNotAvailable,
} from "../../test/actions.js";
import { kindsOf, PureInstance } from "../../test/pure-instance.js";
import { type ActionEvents, addAction } from "./action-events.js";

const { state } = PureInstance.after([]);

const plain = { now: 9, createId: () => "minted", history: [], appId: "shop" };

function run(action: WorkflowAction, of = state): ActionEvents {
  const into: ActionEvents = { appended: [], messages: [] };
  addAction(into, action, { ...plain, state: of });
  return into;
}

/** The one appended event's id and type, and the one message. */
function only({ appended, messages }: ActionEvents) {
  expect(appended).toHaveLength(1);
  const { eventId, eventType } = appended[0]?.event ?? {};
  return { eventId, eventType, message: messages[0], sent: messages[0]?.record.event.eventType };
}

describe("addAction()", () => {
  test("schedules a task under the action's id", () => {
    const { eventId, eventType, message } = only(run(schedule(3, "charge", '"x"')));
    expect(eventId).toBe(3);
    expect(eventType).toMatchObject({
      case: "taskScheduled",
      value: { name: "charge", input: '"x"', taskExecutionId: "call-3" },
    });
    expect(message).toBeUndefined();
  });

  test("keeps the version and the propagation scope of a task", () => {
    const action = create(WorkflowActionSchema, {
      id: 1,
      workflowActionType: {
        case: "scheduleTask",
        value: { name: "charge", version: "2", historyPropagationScope: 1 },
      },
    });
    expect(only(run(action)).eventType?.value).toMatchObject({
      version: "2",
      historyPropagationScope: 1,
    });
  });

  test("gives activities, children and detached workflows the trace of their workflow", () => {
    const trace = { traceParent: "00-1-2-01" };
    const traceContext = create(TraceContextSchema, trace);
    for (const traced of [
      new PureInstance({ traceContext }),
      PureInstance.after([], { traceContext }),
    ]) {
      const into: ActionEvents = { appended: [], messages: [] };
      const context = { ...plain, state: traced.state };
      addAction(into, schedule(0, "charge"), context);
      addAction(into, child(1, "pay", "pay-1"), context);
      addAction(into, detached(2, "mail", "mail-1"), context);
      const [task, created] = into.appended.map(({ event }) => event.eventType.value);
      const started = into.messages.map(({ record }) => record.event.eventType.value);
      for (const value of [task, created, ...started]) {
        expect(value).toMatchObject({ parentTraceContext: trace });
      }
    }
  });

  test.each([
    ["createTimer", {}],
    ["externalEvent", { name: "paid" }],
    ["activityRetry", { taskExecutionId: "call-1" }],
    ["childWorkflowRetry", { instanceId: "order-1:0001" }],
  ] as const)("creates a timer with its instant, its name and its origin, %s", (kind, origin) => {
    const fireAt = { seconds: 5n, nanos: 1 };
    const action = fromJson(WorkflowActionSchema, {
      id: 2,
      createTimer: { fireAt: "1970-01-01T00:00:05.000000001Z", name: "pause", [kind]: origin },
    });
    const { eventId, eventType } = only(run(action));
    expect(eventId).toBe(2);
    expect(eventType).toMatchObject({
      case: "timerCreated",
      value: { fireAt, name: "pause", origin: { case: kind, value: origin } },
    });
  });

  test("creates a timer that has a name and no instant", () => {
    const action = create(WorkflowActionSchema, {
      id: 1,
      workflowActionType: { case: "createTimer", value: { name: "pause" } },
    });
    expect(only(run(action)).eventType?.value).toMatchObject({ name: "pause" });
    expect(only(run(action)).eventType?.value).not.toHaveProperty("fireAt");
  });

  test("starts a child that knows its parent", () => {
    const { eventId, eventType, message, sent } = only(run(child(5, "pay", "pay-1", '"x"')));
    expect(eventId).toBe(5);
    expect(eventType).toMatchObject({
      case: "childWorkflowInstanceCreated",
      value: { instanceId: "pay-1", name: "pay", input: '"x"' },
    });
    expect(message?.targetId).toBe("pay-1");
    expect(sent).toMatchObject({
      case: "executionStarted",
      value: {
        name: "pay",
        input: '"x"',
        workflowInstance: { instanceId: "pay-1", executionId: "minted" },
        parentInstance: {
          taskScheduledId: 5,
          name: "order",
          workflowInstance: { instanceId: "order-1", executionId: "execution-1" },
        },
      },
    });
  });

  test("names a child after its parent and the action, without wrapping", () => {
    expect(run(child(0, "pay")).messages[0]?.targetId).toBe("order-1:0000");
    expect(run(child(0x1abcd, "pay")).messages[0]?.targetId).toBe("order-1:1abcd");
  });

  test("keeps the version, the propagation scope and the retry link of a child", () => {
    const link = { instanceID: "order-1:0000" };
    const action = create(WorkflowActionSchema, {
      id: 1,
      workflowActionType: {
        case: "createChildWorkflow",
        value: {
          name: "pay",
          version: "2",
          historyPropagationScope: 2,
          retryParentInstanceInfo: link,
        },
      },
    });
    const { eventType, sent } = only(run(action));
    expect(eventType?.value).toMatchObject({
      version: "2",
      historyPropagationScope: 2,
      retryParentInstanceInfo: link,
    });
    expect(sent?.value).not.toHaveProperty("version");
  });

  test("starts a detached workflow that has no parent", () => {
    const more = { input: '"x"', startAt: 5000, tags: { a: "b" } };
    const { eventType, message, sent } = only(run(detached(6, "mail", "mail-1", more)));
    expect(eventType).toMatchObject({
      case: "detachedWorkflowInstanceCreated",
      value: { instanceId: "mail-1" },
    });
    expect(message?.targetId).toBe("mail-1");
    expect(sent).toMatchObject({
      case: "executionStarted",
      value: {
        name: "mail",
        input: '"x"',
        tags: { a: "b" },
        scheduledStartTimestamp: { seconds: 5n },
        workflowInstance: { instanceId: "mail-1", executionId: "minted" },
      },
    });
    expect(sent?.value).not.toHaveProperty("parentInstance");
  });

  test("keeps a detached workflow's own execution id, version and trace", () => {
    const action = create(WorkflowActionSchema, {
      id: 1,
      workflowActionType: {
        case: "createDetachedWorkflow",
        value: {
          name: "mail",
          instanceId: "mail-1",
          executionId: "given",
          version: "2",
          parentTraceContext: { traceParent: "00-a-b-01" },
        },
      },
    });
    const traceContext = create(TraceContextSchema, { traceParent: "00-1-2-01" });
    const traced = new PureInstance({ traceContext }).state;
    for (const caller of [state, traced]) {
      expect(only(run(action, caller)).sent?.value).toMatchObject({
        version: "2",
        workflowInstance: { executionId: "given" },
        parentTraceContext: { traceParent: "00-a-b-01" },
      });
    }
  });

  test.each([
    ["a control character", "a\u0000b", "a\u0000b"],
    ["half a character", "a\ud800", "a\ufffd"],
    ["too many bytes", "é".repeat(257), "é".repeat(257)],
  ])("fails the task of a child whose id has %s", (_, instanceId, recorded) => {
    const { eventType, message, sent } = only(run(child(1, "pay", instanceId)));
    expect(eventType?.value).toMatchObject({ instanceId: recorded });
    expect(message).toMatchObject({ targetId: "order-1", targetExecutionId: "execution-1" });
    expect(sent).toMatchObject({
      case: "childWorkflowInstanceFailed",
      value: {
        taskScheduledId: 1,
        failureDetails: { errorType: "InvalidInstanceId", isNonRetriable: true },
      },
    });
  });

  test("sends an event as the target can wait for it", () => {
    const { eventType, message, sent } = only(run(sendEvent(7, "other", "Paid", '"x"')));
    expect(eventType).toMatchObject({
      case: "eventSent",
      value: { instanceId: "other", name: "Paid", input: '"x"' },
    });
    expect(message?.targetId).toBe("other");
    expect(sent).toMatchObject({ case: "eventRaised", value: { name: "Paid", input: '"x"' } });
  });

  test("sends an event without data, and one to nobody", () => {
    expect(only(run(sendEvent(7, "other", "Paid"))).sent?.value).not.toHaveProperty("input");
    const action = create(WorkflowActionSchema, {
      id: 1,
      workflowActionType: { case: "sendEvent", value: { name: "Paid" } },
    });
    expect(only(run(action)).message?.targetId).toBe("");
  });

  test("terminates another instance without a trace in history", () => {
    const { appended, messages } = run(terminateOther(8, "other", '"why"', false));
    expect(appended).toEqual([]);
    expect(messages[0]?.targetId).toBe("other");
    expect(messages[0]?.record.event.eventType).toMatchObject({
      case: "executionTerminated",
      value: { input: '"why"', recurse: false },
    });
  });

  test("leaves completions and version answers to others", () => {
    expect(kindsOf(run(complete(0)).appended)).toEqual([]);
    expect(kindsOf(run(versionNotAvailable(0)).appended)).toEqual([]);
  });
});
