// SPDX-License-Identifier: Apache-2.0

// Retries under the number of their first try, as some SDKs make them (engine semantics 5.5).

import type { EventRecord, WorkflowAction } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { child, complete, failure, schedule, timer } from "../../../test/actions.js";
import { PureInstance } from "../../../test/pure-instance.js";
import { childFailed } from "../child-result.js";
import { inboundRecord } from "../event.js";
import { completeActivity } from "./complete-activity.js";
import { isStaleTurn } from "./complete-turn.js";
import { fireTimer } from "./fire-timer.js";
import { receive } from "./receive.js";
import { rerun } from "./rerun.js";

function failActivity(instance: PureInstance, taskId: number): void {
  const { executionId } = instance.state;
  const facts = { executionId, taskId, output: undefined, failure: failure("E", "no luck") };
  instance.do(completeActivity(instance.state, facts, instance.now));
}

function failChild(instance: PureInstance, taskId: number): void {
  const { instanceId: targetId, executionId: targetExecutionId } = instance.state;
  const record = childFailed(taskId, failure("E", "no luck"), instance.now);
  instance.do(receive(instance.state, { targetId, targetExecutionId, record }, instance.now));
}

/** Pauses, and is where the turn after the pause is to be taken. */
function pause(instance: PureInstance, timerId: number): void {
  instance.turn([timer(timerId, 5)]);
  const facts = { generation: 1, timerId, fireAt: 5 };
  instance.do(fireTimer(instance.state, facts, instance.now));
}

/** What the worker of the next turn gets. */
function eventsFor({ state, now }: PureInstance): readonly EventRecord[] {
  return [inboundRecord(now, { case: "workflowStarted", value: {} }), ...state.inbox];
}

function isStale(instance: PureInstance, actions: WorkflowAction[], isInformed = true): boolean {
  const answer = { actions, version: undefined };
  const informedBy = isInformed ? { informedBy: eventsFor(instance) } : {};
  return isStaleTurn(instance.state, { ...answer, ...informedBy });
}

const first = { activity: schedule(0, "charge"), child: child(0, "ship", "c") };

/** The first try has failed, and the pause before the next one is over. */
function failed(kind: keyof typeof first): PureInstance {
  const instance = PureInstance.after([first[kind], timer(7, 9000)]);
  if (kind === "activity") failActivity(instance, 0);
  else failChild(instance, 0);
  pause(instance, 1);
  return instance;
}

describe.each(["activity", "child"] as const)("a retry of an %s under its first number", (kind) => {
  const again = first[kind];
  const other = kind === "activity" ? first.child : first.activity;

  test("is no repetition to a worker that got the whole history", () => {
    expect(isStale(failed(kind), [again])).toBe(false);
  });

  test("is one to a worker that keeps some of the history itself", () => {
    expect(isStale(failed(kind), [again], false)).toBe(true);
  });

  test("is one beside what history has and did not fail, and in place of another kind", () => {
    expect(isStale(failed(kind), [again, timer(7, 9000)])).toBe(true);
    expect(isStale(failed(kind), [other])).toBe(true);
  });

  test("is one before its pause is over, and once it has been asked for", () => {
    const early = PureInstance.after([again]);
    if (kind === "activity") failActivity(early, 0);
    else failChild(early, 0);
    early.turn([timer(1, 5)]);
    expect(isStale(early, [again])).toBe(true);

    const asked = failed(kind);
    asked.turn([again]);
    pause(asked, 2);
    expect(isStale(asked, [again])).toBe(true);
  });

  test("waits for a result of its own, which may be a failure again", () => {
    const instance = failed(kind);
    instance.turn([again]);
    expect(instance.state.fold.tasks.has(0) || instance.state.fold.children.get(0)?.open).toBe(
      true,
    );
    if (kind === "activity") failActivity(instance, 0);
    else failChild(instance, 0);
    expect(instance.state.inbox).toHaveLength(1);
    pause(instance, 2);
    expect(isStale(instance, [again])).toBe(false);
    expect(instance.refold()).toEqual(instance.state.fold);
  });

  test("is done again by a rerun, and its first try is not", () => {
    const instance = failed(kind);
    instance.turn([again, timer(3, 10)]);
    instance.turn([complete(4)]);
    const { instanceId, workflow, tags } = instance.state;
    const { history } = instance;
    const source = { instanceId, workflow, tags, hasEnded: true, isChild: false, history };
    const facts = { instanceId: "new", executionId: "x", eventId: 3, createId: () => "y" };
    const more = { replaceInput: undefined, childInstanceId: undefined, appId: "pawl" };
    const { turn } = rerun(undefined, source, { ...facts, ...more }, 5000);
    const tries = (turn?.appended ?? []).filter(({ event }) => event.eventId === 0);
    expect(
      tries.map(({ event }) => "rerunParentInstanceInfo" in (event.eventType.value ?? {})),
    ).toEqual([false, true]);
  });
});
