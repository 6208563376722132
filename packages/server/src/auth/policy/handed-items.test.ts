// SPDX-License-Identifier: Apache-2.0

import type { ActivityItem, TurnItem } from "@pawl/engine";
import { expect, test } from "vitest";
import { HandedItems } from "./handed-items.js";

function turn(token: string): TurnItem {
  const ids = { instanceId: "a", executionId: "e", workflow: "order", token };
  return { kind: "turn", ...ids, cachedEventCount: 0, pastEventCount: 0, past: [], events: [] };
}

function activity(token: string): ActivityItem {
  const ids = { instanceId: "a", executionId: "e", taskId: 1, taskExecutionId: "", token };
  return { kind: "activity", ...ids, name: "pay" };
}

const done = { instanceId: "a", actions: [] };

test("a turn is taken once, by the caller that was given it", () => {
  const handed = new HandedItems();
  handed.open("alice").add(turn("1"));

  expect(handed.takeTurn("bob", { ...done, token: "1" })).toBe(false);
  expect(handed.takeTurn("alice", { ...done, token: "1" })).toBe(true);
  expect(handed.takeTurn("alice", { ...done, token: "1" })).toBe(false);
});

test("a result that comes twice, or late, does not take the next turn of its instance", () => {
  const handed = new HandedItems();
  const session = handed.open("alice");
  session.add(turn("1"));
  handed.takeTurn("alice", { ...done, token: "1" });
  session.add(turn("2"));
  expect(handed.takeTurn("alice", { ...done, token: "1" })).toBe(false);

  session.add(turn("3"));
  expect(handed.takeTurn("alice", { ...done, token: "2" })).toBe(false);
  expect(handed.takeTurn("alice", { ...done, token: "3" })).toBe(true);
});

test("a result without a token takes the oldest", () => {
  const handed = new HandedItems();
  const session = handed.open("alice");
  session.add(turn("1"));
  session.add(activity("2"));
  session.add(activity("3"));
  const paid = { instanceId: "a", taskId: 1 };

  expect(handed.takeTurn("alice", { ...done, token: "" })).toBe(true);
  expect(handed.takeTurn("alice", { ...done, token: "" })).toBe(false);
  expect(handed.takeActivity("alice", { ...paid, token: "" })).toBe(true);
  expect(handed.takeActivity("alice", { ...paid, token: "2" })).toBe(false);
  expect(handed.takeActivity("alice", { ...paid, token: "3" })).toBe(true);
});

test("nothing is taken for a worker that has left", () => {
  const handed = new HandedItems();
  const session = handed.open("alice");
  session.add(turn("1"));
  session.close();

  expect(handed.takeTurn("alice", { ...done, token: "1" })).toBe(false);
});
