// SPDX-License-Identifier: Apache-2.0

import { EventRecord, historyEvent } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import {
  child,
  complete,
  continueWith,
  fail,
  failure,
  schedule,
  timer,
  versionNotAvailable,
} from "../../test/actions.js";
import { PureInstance } from "../../test/pure-instance.js";
import { applyEvent } from "./apply-event.js";
import { resume } from "./command/resume.js";
import { suspend } from "./command/suspend.js";
import { terminate, terminateNow } from "./command/terminate.js";
import { hasEnded, hasWorkAtHand, isDelayed, sleepsUntil, statusOf } from "./status.js";

describe("statusOf()", () => {
  test("is pending until the first turn", () => {
    const instance = new PureInstance();
    expect(statusOf(instance.state)).toBe("pending");
    instance.turn([timer(0, 5000)]);
    expect(statusOf(instance.state)).toBe("running");
  });

  test("stays running when an execution continues as new", () => {
    const instance = PureInstance.after([continueWith(0)]);
    expect(instance.state.fold.eventCount).toBe(0);
    expect(statusOf(instance.state)).toBe("running");
  });

  test("follows suspend and resume once they are in history", () => {
    const instance = PureInstance.after([]);
    instance.do(suspend(instance.state, undefined, instance.now));
    expect(statusOf(instance.state)).toBe("running");
    instance.turn([]);
    expect(statusOf(instance.state)).toBe("suspended");
    instance.do(resume(instance.state, undefined, instance.now));
    instance.turn([]);
    expect(statusOf(instance.state)).toBe("running");
  });

  test("is stalled before the first turn, and after it", () => {
    expect(statusOf(PureInstance.after([versionNotAvailable(0)]).state)).toBe("stalled");
    const suspended = PureInstance.after([]);
    suspended.do(suspend(suspended.state, undefined, suspended.now));
    suspended.turn([]);
    suspended.turn([versionNotAvailable(0)]);
    expect(statusOf(suspended.state)).toBe("stalled");
    suspended.turn([]);
    expect(statusOf(suspended.state)).toBe("suspended");
  });

  test("is the way of the end, whatever else there was", () => {
    expect(statusOf(PureInstance.after([complete(0)]).state)).toBe("completed");
    expect(statusOf(PureInstance.after([fail(0, failure("E", "m"))]).state)).toBe("failed");
    const stopped = new PureInstance();
    stopped.do(terminate(stopped.state, { output: undefined, recursive: true }, 5));
    stopped.do(terminateNow(stopped.state, 6));
    expect(statusOf(stopped.state)).toBe("terminated");
    expect(hasEnded(stopped.state)).toBe(true);
  });
});

describe("hasWorkAtHand()", () => {
  test("is true while the inbox waits for a turn", () => {
    const instance = new PureInstance();
    expect(hasWorkAtHand(instance.state, 0)).toBe(true);
    instance.turn([timer(0, 5000)]);
    expect(hasWorkAtHand(instance.state, 0)).toBe(false);
  });

  test("is true while an activity has no result, also after the end", () => {
    expect(hasWorkAtHand(PureInstance.after([schedule(0, "mail")]).state, 0)).toBe(true);
    const ended = PureInstance.after([schedule(0, "mail"), complete(1)]);
    expect(hasWorkAtHand(ended.state, 0)).toBe(true);
    ended.activity(0);
    expect(hasWorkAtHand(ended.state, 0)).toBe(false);
    expect(hasWorkAtHand(PureInstance.after([complete(0)]).state, 0)).toBe(false);
  });

  test("is false for a terminated instance, whatever it had asked for", () => {
    const instance = PureInstance.after([schedule(0, "mail")]);
    instance.do(terminate(instance.state, { output: undefined, recursive: true }, 5));
    instance.do(terminateNow(instance.state, 6));
    expect(hasWorkAtHand(instance.state, 10)).toBe(false);
  });

  test("is false until a delayed start is due", () => {
    const { state } = new PureInstance({ startAt: 5000 });
    expect(isDelayed(state, 4999)).toBe(true);
    expect(hasWorkAtHand(state, 4999)).toBe(false);
    expect(isDelayed(state, 5000)).toBe(false);
    expect(hasWorkAtHand(state, 5000)).toBe(true);
  });

  test("no longer counts the delay once the instance has run", () => {
    expect(isDelayed(PureInstance.after([], { startAt: 5000 }).state, 0)).toBe(false);
  });
});

describe("sleepsUntil()", () => {
  test("is the instant of the first timer", () => {
    expect(sleepsUntil(PureInstance.after([timer(0, 9000), timer(1, 5000)]).state)).toBe(5000);
  });

  test("is never of what waits for more than time", () => {
    expect(sleepsUntil(PureInstance.after([]).state)).toBe(0);
    const bounded = [timer(0, 9000), timer(1, 9000, "go"), timer(2, 9000)];
    expect(sleepsUntil(PureInstance.after(bounded).state)).toBe(0);
    const parent = PureInstance.after([timer(0, 9000), child(1, "part", "c")]);
    expect(sleepsUntil(parent.state)).toBe(0);
    const done = { case: "childWorkflowInstanceCompleted", value: { taskScheduledId: 1 } } as const;
    applyEvent(parent.state.fold, EventRecord.of(historyEvent(-1, 5, done)));
    expect(sleepsUntil(parent.state)).toBe(9000);
  });
});
