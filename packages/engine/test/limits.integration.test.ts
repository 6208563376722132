// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { limits, type TaskFailureDetails, TaskFailureDetailsSchema } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { isEngineError } from "../src/errors.js";
import { problemsOf } from "../src/testing/check-store.js";
import {
  child,
  complete,
  detached,
  fail,
  failure,
  schedule,
  timer,
  unknownAction,
} from "./actions.js";
import { flows, tasks } from "./flows.js";
import { EngineUnderTest } from "./open-engine.js";

const invalid = { code: "INVALID_ARGUMENT" };
const tooLarge = { code: "PAYLOAD_TOO_LARGE" };
const large = "x".repeat(limits.payloadBytes + 1);

describe("the queue limit", () => {
  test("refuses starts and events when too much waits, and takes them again later", async () => {
    const under = await EngineUnderTest.open({ queueLimit: 3 });
    for (const instanceId of ["a", "b", "c"]) {
      await under.engine.start({ workflow: "echo", instanceId });
    }
    const refusal = { code: "RESOURCE_EXHAUSTED", details: { limit: "3" } };
    await expect(under.engine.start({ workflow: "echo" })).rejects.toMatchObject(refusal);
    await expect(under.engine.raiseEvent("a", "go")).rejects.toMatchObject(refusal);
    expect((await under.engine.list()).instances).toHaveLength(3);
    await under.engine.terminate("a");
    await under.engine.waitForCompletion("a");
    await under.engine.start({ workflow: "echo", instanceId: "d" });
    under.connect({ flows });
    await under.engine.idle();
    await under.engine.start({ workflow: "echo", instanceId: "e" });
    expect((await under.engine.waitForCompletion("e")).status).toBe("completed");
    await under.engine.close();
  });
});

describe("limits on what callers give", () => {
  test.each([
    ["input", (under: EngineUnderTest) => under.engine.start({ workflow: "w", input: large })],
    ["event", (under: EngineUnderTest) => under.engine.raiseEvent("a", "go", large)],
    ["output", (under: EngineUnderTest) => under.engine.terminate("a", { output: large })],
    ["reason to suspend", (under: EngineUnderTest) => under.engine.suspend("a", large)],
    ["reason to resume", (under: EngineUnderTest) => under.engine.resume("a", large)],
  ])("refuse an %s that is too large", async (_, call) => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await expect(call(under)).rejects.toMatchObject(tooLarge);
    expect((await under.engine.list()).instances).toHaveLength(1);
    await under.engine.close();
  });

  test("take a payload of exactly the limit", async () => {
    const under = await EngineUnderTest.open();
    under.connect({ flows });
    const input = "x".repeat(limits.payloadBytes);
    await under.engine.start({ workflow: "echo", instanceId: "a", input });
    expect((await under.engine.waitForCompletion("a")).output).toHaveLength(limits.payloadBytes);
    await under.engine.close();
  });

  test("take larger inputs and events when told to, which stall no instance but their own", async () => {
    const inputBytes = limits.requestBytes + 1;
    const under = await EngineUnderTest.open({ inputBytes });
    under.connect({ flows, turnBytes: limits.sidecarTurnBytes });
    const most = "x".repeat(inputBytes);
    await under.engine.start({ workflow: "echo", instanceId: "a", input: most });
    await under.engine.start({ workflow: "gather", instanceId: "b", input: "2" });
    await under.engine.waitForStart("b");
    await under.engine.raiseEvent("b", "go", most);
    for (const id of ["a", "b"]) {
      const stalled = await under.engine.waitUntil(id, ({ status }) => status === "stalled");
      expect(stalled.stallCode).toBe("PAYLOAD_SIZE_EXCEEDED");
    }
    await under.engine.start({ workflow: "echo", instanceId: "c", input: "1" });
    expect((await under.engine.waitForCompletion("c")).output).toBe("1");
    await expect(under.engine.raiseEvent("c", "go", `${most}x`)).rejects.toMatchObject(tooLarge);
    await expect(under.engine.terminate("b", { output: most })).rejects.toMatchObject(tooLarge);

    // They are there after a crash, also for an engine that takes no more than usual, and can be ended or run.
    const again = await under.crash();
    await again.engine.terminate("b");
    expect((await again.engine.waitForCompletion("b")).status).toBe("terminated");
    again.connect({ flows });
    const { failure } = await again.engine.waitForCompletion("a");
    expect(failure?.message).toMatch(/the output of the workflow has 4194305 bytes/);
    await again.engine.close();
  });

  test("count bytes, not characters", async () => {
    const under = await EngineUnderTest.open();
    const input = "é".repeat(limits.payloadBytes / 2 + 1);
    await expect(under.engine.start({ workflow: "w", input })).rejects.toMatchObject(tooLarge);
    await under.engine.close();
  });

  test.each(["a\u0000b", "a\nb", "\u007f", "x".repeat(513), "\ud800"])(
    "refuse the id %j wherever it may be given",
    async (instanceId) => {
      const { engine } = await EngineUnderTest.open();
      await expect(engine.start({ workflow: "w", instanceId })).rejects.toMatchObject(invalid);
      await expect(engine.raiseEvent(instanceId, "go")).rejects.toMatchObject(invalid);
      await expect(engine.suspend(instanceId)).rejects.toMatchObject(invalid);
      await expect(engine.resume(instanceId)).rejects.toMatchObject(invalid);
      await expect(engine.terminate(instanceId)).rejects.toMatchObject(invalid);
      await expect(engine.purge(instanceId)).rejects.toMatchObject(invalid);
      await engine.close();
    },
  );

  test("refuse a name with half a character: it would be another one after a restart", async () => {
    const { engine } = await EngineUnderTest.open();
    await expect(engine.start({ workflow: "w\ud800" })).rejects.toMatchObject(invalid);
    await engine.start({ workflow: "w😀", instanceId: "a" });
    await expect(engine.raiseEvent("a", "\udc00")).rejects.toMatchObject(invalid);
    await engine.raiseEvent("a", "😀");
    await engine.close();
  });

  test.each(["|", "..", "../../etc/passwd", "%2e%2e", "a b", "日本", "😀", "\u202e", "__proto__"])(
    "take the id %j as it is",
    async (instanceId) => {
      const under = await EngineUnderTest.open();
      under.connect({ flows });
      await under.engine.start({ workflow: "echo", instanceId, input: "x" });
      expect(await under.engine.waitForCompletion(instanceId)).toMatchObject({ instanceId });
      const after = await under.crash();
      expect(await after.engine.get(instanceId)).toMatchObject({ instanceId, output: "x" });
      await after.engine.close();
    },
  );

  test("make an id when none is given", async () => {
    const under = await EngineUnderTest.open();
    const first = await under.engine.start({ workflow: "w" });
    const second = await under.engine.start({ workflow: "w", instanceId: "" });
    expect(first.instanceId).not.toBe(second.instanceId);
    expect(first.executionId).not.toBe(second.executionId);
    await under.engine.close();
  });

  test.each([
    ["an empty workflow name", { workflow: "" }],
    ["a long workflow name", { workflow: "x".repeat(257) }],
    ["a start time that is none", { workflow: "w", startAt: Number.NaN }],
    ["a start time without end", { workflow: "w", startAt: Number.POSITIVE_INFINITY }],
    ["an empty tag key", { workflow: "w", tags: { "": "x" } }],
    ["a long tag key", { workflow: "w", tags: { ["k".repeat(257)]: "x" } }],
    ["a long tag value", { workflow: "w", tags: { k: "x".repeat(1025) } }],
    [
      "too many tags",
      {
        workflow: "w",
        tags: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`k${index}`, "x"])),
      },
    ],
  ])("refuse %s", async (_, command) => {
    const under = await EngineUnderTest.open();
    await expect(under.engine.start(command)).rejects.toMatchObject(invalid);
    await under.engine.close();
  });

  test("refuse an event without a name, or with a long one", async () => {
    const under = await EngineUnderTest.open();
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await expect(under.engine.raiseEvent("a", "")).rejects.toMatchObject(invalid);
    await expect(under.engine.raiseEvent("a", "x".repeat(257))).rejects.toMatchObject(invalid);
    await under.engine.close();
  });

  test("are engine errors with facts for programs", async () => {
    const under = await EngineUnderTest.open();
    const error = await under.engine.start({ workflow: "" }).catch((caught: unknown) => caught);
    expect(isEngineError(error)).toBe(true);
    expect(error).toMatchObject({ name: "EngineError", details: { field: "workflow" } });
    expect(isEngineError(new Error("x"))).toBe(false);
    expect(isEngineError(undefined)).toBe(false);
    await under.engine.close();
  });
});

describe("the history limit", () => {
  test.each([
    ["events", { events: 8 }],
    ["bytes", { bytes: 500 }],
  ])("in %s fails the instance that reaches it, and no other", async (_, historyLimit) => {
    const under = await EngineUnderTest.open({ historyLimit });
    under.connect({ flows, tasks });
    const input = "x".repeat(60);
    await under.engine.start({ workflow: "chain", instanceId: "long", input });
    await under.engine.start({ workflow: "echo", instanceId: "short", input });
    expect(await under.engine.waitForCompletion("long")).toMatchObject({
      status: "failed",
      failure: { type: "HistoryTooLarge", nonRetriable: true },
    });
    expect((await under.engine.waitForCompletion("short")).status).toBe("completed");
    await under.engine.close();
  });
});

const manyTags = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`k${at}`, "v"]));

/** A failure of so many failures, one within the other. */
function deepFailure(depth: number): TaskFailureDetails {
  let inner = failure("E", "innermost");
  for (let at = 0; at < depth; at += 1) {
    inner = create(TaskFailureDetailsSchema, {
      errorType: "E",
      errorMessage: "outer",
      innerFailure: inner,
    });
  }
  return inner;
}

describe("limits on what workers ask for", () => {
  test("a failure that is nested without end is kept as far as it can be", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    const failureDetails = deepFailure(20_000);
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [schedule(0, "x")]);
    await worker.completeActivity(await worker.activity(), { failure: failureDetails });
    await worker.completeTurn(await worker.turn(2), [fail(1, failureDetails)]);
    expect(await under.engine.get("a")).toMatchObject({
      status: "failed",
      failure: { type: "E", message: "outer" },
    });
    await under.engine.close();
  });

  test("a failure of more than a payload fails as a payload would", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    const large = failure("E", "m".repeat(limits.payloadBytes));
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [schedule(0, "x")]);
    await worker.completeActivity(await worker.activity(), { failure: large });
    const turn = await worker.turn(2);
    expect(turn.events[1]?.event.eventType).toMatchObject({
      case: "taskFailed",
      value: { failureDetails: { errorType: "PayloadTooLarge" } },
    });
    await worker.completeTurn(turn, [fail(1, large)]);
    expect((await under.engine.get("a"))?.failure?.type).toBe("PayloadTooLarge");
    await under.engine.close();
  });

  test.each([
    ["far beyond any calendar", 2n ** 62n, "pending"],
    ["long before any", -(2n ** 62n), "completed"],
  ])(
    "a detached workflow may be told to start %s, which hurts nobody",
    async (_, seconds, status) => {
      const under = await EngineUnderTest.open();
      const worker = under.connect({ flows, tasks });
      await under.engine.start({ workflow: "w", instanceId: "a" });
      const action = detached(0, "echo", "d");
      if (action.workflowActionType.case === "createDetachedWorkflow") {
        const at = create(TimestampSchema, { seconds });
        action.workflowActionType.value.scheduledStartTimestamp = at;
      }
      await worker.completeTurn(await worker.turn(), [action]);
      await under.engine.waitUntil("d", (instance) => instance.status === status);
      await under.engine.raiseEvent("a", "go");
      expect(under.engine.isReady()).toBe(true);
      await under.engine.close();
      expect(await problemsOf(under.faults.behind, under.clock.now())).toEqual([]);
    },
  );

  test.each([
    ["an unknown action", unknownAction(0)],
    ["a detached workflow without an id", detached(0, "w", "")],
    ["a detached workflow with a forbidden id", detached(0, "w", "a\nb")],
    ["an action that cannot be encoded", schedule(2 ** 31, "far")],
    ["an action of an id that another has", timer(1, 5)],
    ["an activity without a name", schedule(0, "")],
    ["a detached workflow of too many tags", detached(0, "w", "d", { tags: manyTags })],
  ])("%s fails the instance, and starts nothing", async (_, action) => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [schedule(1, "charge"), action]);
    await under.engine.idle();
    expect((await under.engine.list()).instances).toHaveLength(1);
    expect(await under.engine.get("a")).toMatchObject({
      status: "failed",
      failure: { type: "InvalidAction", nonRetriable: true },
    });
    expect(worker.activities).toEqual([]);
    await under.engine.close();
  });

  test("a child with a forbidden id fails its task, and the workflow goes on", async () => {
    const under = await EngineUnderTest.open();
    const worker = under.connect({});
    await under.engine.start({ workflow: "w", instanceId: "a" });
    await worker.completeTurn(await worker.turn(), [child(0, "w", "a\u0000b")]);
    const turn = await worker.turn(2);
    expect(turn.events[1]?.event.eventType).toMatchObject({
      case: "childWorkflowInstanceFailed",
      value: { taskScheduledId: 0, failureDetails: { errorType: "InvalidInstanceId" } },
    });
    await worker.completeTurn(turn, [complete(1)]);
    expect((await under.engine.waitForCompletion("a")).status).toBe("completed");
    expect((await under.engine.list()).instances).toHaveLength(1);
    expect(await under.engine.purge("a")).toBe(1);
    await under.engine.close();
  });
});
