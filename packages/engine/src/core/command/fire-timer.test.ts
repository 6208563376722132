// SPDX-License-Identifier: Apache-2.0

import { create } from "@bufbuild/protobuf";
import { WorkflowActionSchema } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { complete, continueWith, timer } from "../../../test/actions.js";
import { PureInstance } from "../../../test/pure-instance.js";
import { nothing } from "../outcome.js";
import { fireTimer } from "./fire-timer.js";
import { raiseEvent } from "./raise-event.js";

const facts = { generation: 1, timerId: 0, fireAt: 5000 };

describe("fireTimer()", () => {
  test("puts the firing into the inbox with the instant that was asked for", () => {
    const { state } = PureInstance.after([timer(0, 5000)]);
    expect(fireTimer(state, facts, 6000).accepted[0]?.event).toMatchObject({
      eventId: -1,
      timestamp: { seconds: 6n },
      eventType: { case: "timerFired", value: { timerId: 0, fireAt: { seconds: 5n } } },
    });
  });

  test("gives back an instant to the nanosecond", () => {
    const action = timer(0, 5000);
    if (action.workflowActionType.case !== "createTimer") throw new Error("no timer");
    const { fireAt } = action.workflowActionType.value;
    if (fireAt !== undefined) fireAt.nanos = 1;
    const { state } = PureInstance.after([action]);
    const [record] = fireTimer(state, { ...facts, fireAt: 5001 }, 6000).accepted;
    expect(record?.event.eventType.value).toMatchObject({ fireAt: { seconds: 5n, nanos: 1 } });
  });

  test("fires a timer that was created without an instant", () => {
    const action = create(WorkflowActionSchema, {
      workflowActionType: { case: "createTimer", value: {} },
    });
    const { state } = PureInstance.after([action]);
    const [record] = fireTimer(state, { ...facts, fireAt: 0 }, 6000).accepted;
    expect(record?.event.eventType.value).toMatchObject({ fireAt: { seconds: 0n, nanos: 0 } });
  });

  test("fires once", () => {
    const instance = PureInstance.after([timer(0, 5000)]);
    instance.do(fireTimer(instance.state, facts, 6000));
    expect(fireTimer(instance.state, facts, 6001)).toBe(nothing);
    instance.turn([]);
    expect(fireTimer(instance.state, facts, 6002)).toBe(nothing);
  });

  test("does nothing for a timer of an earlier generation", () => {
    const instance = PureInstance.after([timer(0, 5000), continueWith(1)]);
    instance.turn([timer(0, 5000)]);
    expect(instance.state.generation).toBe(2);
    expect(fireTimer(instance.state, facts, 6000)).toBe(nothing);
    expect(fireTimer(instance.state, { ...facts, generation: 2 }, 6000)).not.toBe(nothing);
  });

  test("does nothing for a timer of the same number and another instant", () => {
    const { state } = PureInstance.after([timer(0, 7000)]);
    expect(fireTimer(state, facts, 8000)).toBe(nothing);
  });

  test("does nothing for a wait whose event has come", () => {
    const instance = PureInstance.after([timer(0, 5000, "paid")]);
    instance.do(raiseEvent(instance.state, { name: "paid", input: undefined }, 9));
    instance.turn([]);
    expect(fireTimer(instance.state, facts, 6000)).toBe(nothing);
  });

  test("does nothing to an ended instance", () => {
    const { state } = PureInstance.after([complete(0)]);
    expect(fireTimer(state, facts, 6000)).toBe(nothing);
  });
});
