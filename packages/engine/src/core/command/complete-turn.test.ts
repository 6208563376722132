// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import type { WorkflowAction } from "@pawl/protocol";
import { EventRecord, HistoryEventSchema, limits } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import {
  child,
  complete,
  completeStalled,
  completeTerminated,
  continueWith,
  fail,
  failure,
  schedule,
  terminateOther,
  timer,
  unknownAction,
  versionNotAvailable,
} from "../../../test/actions.js";
import { kindsOf, PureInstance } from "../../../test/pure-instance.js";
import { isStaleTurn } from "./complete-turn.js";
import { raiseEvent } from "./raise-event.js";
import { receive } from "./receive.js";
import { terminate } from "./terminate.js";

/** A child of an instance "parent", begun and not run. */
function newChild(): PureInstance {
  const parent = new PureInstance({ instanceId: "parent", executionId: "parent-1" });
  const [message] = parent.turn([child(4, "order", "order-1")]).messages;
  if (message === undefined) throw new Error("no child was started");
  const instance = new PureInstance();
  instance.do(receive(undefined, message, 9));
  return instance;
}

function stop(instance: PureInstance, recursive = true): void {
  instance.do(terminate(instance.state, { output: '"bye"', recursive }, instance.now));
}

describe("completeTurn()", () => {
  test("appends the turn's events, then its actions in order", () => {
    const instance = new PureInstance();
    const { turn } = instance.turn([schedule(0, "charge"), timer(1, 5000), complete(2, '"done"')]);
    expect(kindsOf(turn?.appended ?? [])).toEqual([
      "workflowStarted",
      "executionStarted",
      "taskScheduled",
      "timerCreated",
      "executionCompleted",
    ]);
    expect(turn?.appended.map((record) => record.event.eventId)).toEqual([-1, -1, 0, 1, 2]);
    expect(turn?.consumed).toBe(1);
    const unsorted = new PureInstance().turn([schedule(5, "b"), schedule(2, "a")]).turn;
    expect(unsorted?.appended.map((record) => record.event.eventId)).toEqual([-1, -1, 5, 2]);
  });

  test("writes the timers of its end down, and arms none, whichever comes first", () => {
    for (const actions of [
      [timer(0, 5000), complete(1)],
      [complete(0), timer(1, 5000)],
    ]) {
      const instance = PureInstance.after(actions);
      expect(kindsOf(instance.history)).toContain("timerCreated");
      expect(instance.state.fold.timers.size).toBe(0);
      expect(instance.refold().timers.size).toBe(0);
    }
  });

  test("records the first completion and skips later ones", () => {
    const instance = new PureInstance();
    instance.turn([complete(0, '"first"'), fail(1, failure("E", "m")), continueWith(2)]);
    expect(instance.state.fold.end).toBe("completed");
    expect(kindsOf(instance.history).filter((kind) => kind === "executionCompleted")).toHaveLength(
      1,
    );
  });

  test("records result and failure details as they came", () => {
    const completed = new PureInstance().turn([complete(0, '"done"')]).turn?.appended.at(-1);
    expect(completed?.event.eventType.value).toMatchObject({ result: '"done"' });
    expect(completed?.event.eventType.value).not.toHaveProperty("failureDetails");
    const failed = new PureInstance().turn([fail(0, failure("E", "m"))]).turn?.appended.at(-1);
    expect(failed?.event.eventType.value).toMatchObject({ failureDetails: { errorType: "E" } });
    expect(failed?.event.eventType.value).not.toHaveProperty("result");
  });

  test("fails the instance whose custom status is over the limit, and keeps none", () => {
    const instance = new PureInstance();
    instance.turn([], { customStatus: '"well"' });
    instance.turn([], { customStatus: "x".repeat(limits.payloadBytes + 1) });
    expect(instance.state).toMatchObject({ customStatus: undefined, fold: { end: "failed" } });
  });

  test("fails the instance for an action that nobody knows", () => {
    const instance = PureInstance.after([schedule(0, "charge"), unknownAction(3)]);
    expect(instance.state.fold).toMatchObject({ end: "failed", tasks: new Map() });
  });

  test("throws for a turn without events", () => {
    expect(() => new PureInstance().turn([], { events: [] })).toThrow("without events");
  });

  test("tells the parent how it ended, once", () => {
    const completed = newChild().turn([complete(0, '"done"'), complete(1)]);
    expect(completed.messages).toMatchObject([
      { targetId: "parent", targetExecutionId: "parent-1" },
    ]);
    expect(completed.messages[0]?.record.event.eventType).toMatchObject({
      case: "childWorkflowInstanceCompleted",
      value: { taskScheduledId: 4, result: '"done"' },
    });
    const failed = newChild().turn([fail(0, failure("E", "m"))]);
    expect(failed.messages[0]?.record.event.eventType).toMatchObject({
      case: "childWorkflowInstanceFailed",
      value: { failureDetails: { errorType: "E", errorMessage: "m" } },
    });
  });

  test("tells nobody when there is no parent", () => {
    expect(new PureInstance().turn([complete(0)]).messages).toEqual([]);
  });
});

describe("completeTurn() with a version", () => {
  const startedOf = (instance: PureInstance): unknown => instance.history[0]?.event.eventType.value;

  test("writes name and patches into the turn's first event", () => {
    const instance = new PureInstance();
    instance.turn([], { version: { name: "v2", patches: ["a"] } });
    expect(startedOf(instance)).toMatchObject({ version: { name: "v2", patches: ["a"] } });
    expect(instance.state.fold).toMatchObject({ version: "v2", startedAt: 1000 });
  });

  test("writes patches without a name", () => {
    const instance = new PureInstance();
    instance.turn([], { version: { patches: ["a"] } });
    expect(startedOf(instance)).toMatchObject({ version: { patches: ["a"] } });
  });

  test("writes nothing when there is neither", () => {
    const instance = new PureInstance();
    instance.turn([], { version: { patches: [] } });
    expect(startedOf(instance)).not.toHaveProperty("version.name");
  });

  test("takes a first event without an instant", () => {
    const event = create(HistoryEventSchema, {
      eventId: -1,
      eventType: { case: "workflowStarted", value: {} },
    });
    const instance = new PureInstance();
    instance.turn([], { events: [EventRecord.of(event)], version: { name: "v2", patches: [] } });
    expect(instance.state.fold.version).toBe("v2");
  });
});

describe("completeTurn() with patches", () => {
  const patchesOf = (instance: PureInstance): unknown[] =>
    instance.history.flatMap(({ event: { eventType } }) =>
      eventType.case === "workflowStarted" ? [eventType.value.version?.patches ?? []] : [],
    );

  test("writes each patch once: those that history has are not repeated", () => {
    const instance = new PureInstance();
    for (const patches of [["a"], ["a"], ["a", "b", "a"]])
      instance.turn([], { version: { patches } });
    expect(patchesOf(instance)).toEqual([["a"], [], ["b", "a"]]);
    expect(instance.state.fold.patches).toEqual(["a", "b", "a"]);
  });

  test("keeps the version's name beside new patches, and where there are none", () => {
    const instance = new PureInstance();
    instance.turn([], { version: { name: "v2", patches: ["a"] } });
    instance.turn([], { version: { name: "v2", patches: ["a"] } });
    const names = instance.history.flatMap(({ event: { eventType } }) =>
      eventType.case === "workflowStarted" ? [eventType.value.version?.name] : [],
    );
    expect(names).toEqual(["v2", "v2"]);
  });

  test.each([
    ["lacks one", ["a"], "[a, b], current patches: [a]"],
    ["has them in another order", ["b", "a"], "[a, b], current patches: [b, a]"],
    ["has none", undefined, "[a, b], current patches: []"],
  ])("stalls when the worker %s, keeps the inbox and drops the end", (_, patches, lists) => {
    const instance = new PureInstance();
    instance.turn([], { version: { patches: ["a", "b"] } });
    instance.do(raiseEvent(instance.state, { name: "go", input: undefined }, 20));
    instance.turn([complete(0)], { version: patches === undefined ? undefined : { patches } });
    expect(instance.state.fold).toMatchObject({
      end: undefined,
      patches: ["a", "b"],
      stall: {
        reason: "PATCH_MISMATCH",
        description: `Patch mismatch. History patches: ${lists}. `,
      },
    });
    expect(instance.state.inbox).toHaveLength(1);
  });

  test("stalls twice for two reasons, and goes on with the patches that history has", () => {
    const instance = new PureInstance();
    instance.turn([], { version: { patches: ["a", "b"] } });
    for (const patches of [["a"], ["a"], ["b"]]) instance.turn([], { version: { patches } });
    const stalls = instance.history.filter((r) => r.event.eventType.case === "executionStalled");
    expect(stalls).toHaveLength(2);
    instance.turn([complete(0)], { version: { patches: ["a", "b", "c"] } });
    expect(instance.state.fold).toMatchObject({ stall: undefined, end: "completed" });
  });

  test("starts the next generation without patches", () => {
    const instance = new PureInstance();
    instance.turn([], { version: { patches: ["a"] } });
    instance.turn([continueWith(0)], { version: { patches: ["a"] } });
    instance.turn([], { version: { patches: ["b"] } });
    expect(instance.state.fold.patches).toEqual(["b"]);
  });

  test("stalls when the worker that continues as new lacks one: it came here another way", () => {
    const instance = new PureInstance();
    instance.turn([], { version: { patches: ["a"] } });
    const { executionId } = instance.state;
    instance.turn([continueWith(0)], { version: { patches: [] } });
    expect(instance.state.executionId).toBe(executionId);
    expect(instance.state.fold.stall?.reason).toBe("PATCH_MISMATCH");
  });
});

describe("completeTurn() with a terminate in the turn", () => {
  test("ends an instance whose worker did not", () => {
    const instance = PureInstance.after([]);
    stop(instance);
    const { turn, messages } = instance.turn([schedule(0, "charge"), terminateOther(1, "x")]);
    expect(kindsOf(turn?.appended ?? [])).toEqual([
      "workflowStarted",
      "executionTerminated",
      "executionCompleted",
    ]);
    expect(turn?.appended.at(-1)?.event.eventType.value).toMatchObject({ result: '"bye"' });
    expect(messages).toEqual([]);
    expect(instance.state.fold.end).toBe("terminated");
  });

  test("goes by the first of two, in an output that the worker did not give", () => {
    const instance = PureInstance.after([]);
    stop(instance);
    instance.do(terminate(instance.state, { output: '"later"', recursive: false }, 9));
    const { messages } = instance.turn([]);
    expect(instance.history.at(-1)?.event.eventType.value).toMatchObject({ result: '"bye"' });
    expect(messages).toEqual([]);
  });

  test("keeps the worker's own completion", () => {
    const instance = PureInstance.after([]);
    stop(instance);
    instance.turn([completeTerminated(0, '"mine"')]);
    expect(instance.state.fold.end).toBe("terminated");
    expect(instance.history.at(-1)?.event.eventType.value).toMatchObject({ result: '"mine"' });
  });

  test("lets a completion that came first win", () => {
    const instance = PureInstance.after([]);
    stop(instance);
    instance.turn([complete(0, '"done"')]);
    expect(instance.state.fold.end).toBe("completed");
  });

  test("does not take a failure for what cannot be carried out as an end that came first", () => {
    const instance = PureInstance.after([]);
    stop(instance);
    instance.turn([unknownAction(0), complete(1)]);
    expect(instance.state.fold.end).toBe("terminated");
  });

  test("does not continue as new", () => {
    const instance = PureInstance.after([]);
    stop(instance);
    instance.turn([continueWith(0)]);
    expect(instance.state).toMatchObject({ generation: 1, fold: { end: "terminated" } });
  });

  test("tells the parent, and the children when it is recursive", () => {
    for (const recursive of [true, false]) {
      const instance = newChild();
      instance.turn([child(0, "pay", "pay-1")]);
      stop(instance, recursive);
      const targets = instance.turn([]).messages.map((message) => message.targetId);
      expect(targets).toEqual(recursive ? ["parent", "pay-1"] : ["parent"]);
    }
  });

  test("reaches a child that the same turn asked for", () => {
    const instance = PureInstance.after([]);
    stop(instance);
    const { messages } = instance.turn([child(0, "pay", "pay-1"), complete(1)]);
    expect(messages.map((message) => message.record.event.eventType.case)).toEqual([
      "executionStarted",
      "executionTerminated",
    ]);
  });
});

describe("completeTurn() without the version", () => {
  test("stalls, keeps the inbox and drops what else was asked for", () => {
    const instance = new PureInstance();
    instance.turn([], { customStatus: '"well"' });
    instance.do(raiseEvent(instance.state, { name: "a", input: undefined }, 20));
    const refused = [versionNotAvailable(0), schedule(1, "charge")];
    const { turn, messages } = instance.turn(refused, { customStatus: '"ill"' });
    expect(turn?.customStatus).toBe('"well"');
    expect(kindsOf(turn?.appended ?? [])).toEqual(["executionStalled"]);
    expect(turn?.consumed).toBe(0);
    expect(messages).toEqual([]);
    expect(instance.state.inbox).toHaveLength(1);
    expect(instance.state.fold.stall).toEqual({
      reason: "VERSION_NOT_AVAILABLE",
      description: "Version not available: ",
    });
  });

  test.each([
    ["without a reason", undefined, "VERSION_NOT_AVAILABLE", "Version not available: "],
    ["with one", "patches differ", "PATCH_MISMATCH", "patches differ"],
  ])("may be said by an end that is stalled, %s", (_, details, reason, description) => {
    const instance = PureInstance.after([]);
    instance.turn([completeStalled(0, details)]);
    expect(instance.state.fold).toMatchObject({ stall: { reason, description }, end: undefined });
  });

  test("records the same stall once in a row", () => {
    const instance = PureInstance.after([versionNotAvailable(0)]);
    expect(instance.turn([versionNotAvailable(0)]).turn?.appended).toEqual([]);
    expect(instance.state.fold.stall).toBeDefined();
  });

  test("goes on when the version is there again", () => {
    const instance = PureInstance.after([versionNotAvailable(0)]);
    instance.turn([complete(0)]);
    expect(instance.state.fold).toMatchObject({ stall: undefined, end: "completed" });
  });
});

describe("isStaleTurn()", () => {
  const { state } = PureInstance.after([schedule(0, "charge")]);
  const isStale = (actions: WorkflowAction[]): boolean =>
    isStaleTurn(state, { actions, version: undefined });

  test("is true when the answer repeats an action of history", () => {
    expect(isStale([schedule(0, "charge")])).toBe(true);
    expect(isStale([schedule(1, "charge")])).toBe(false);
  });

  test("is false for an end that takes a number of history's", () => {
    for (const end of [complete(0), fail(0, failure("E", "m")), versionNotAvailable(0)]) {
      expect(isStale([end])).toBe(false);
    }
    expect(isStale([terminateOther(0, "x")])).toBe(false);
  });

  test("is false for continue-as-new, which starts over, unless an end came before it", () => {
    expect(isStale([schedule(0, "charge"), continueWith(0)])).toBe(false);
    expect(isStale([schedule(0, "charge"), complete(1), continueWith(2)])).toBe(true);
  });

  test("is false for an answer without history's patches, which stalls", () => {
    const instance = new PureInstance();
    instance.turn([schedule(0, "charge")], { version: { patches: ["a"] } });
    const actions = [schedule(0, "charge")];
    expect(isStaleTurn(instance.state, { actions, version: undefined })).toBe(false);
    expect(isStaleTurn(instance.state, { actions, version: { patches: ["a"] } })).toBe(true);
  });
});
