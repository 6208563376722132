// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { createEntry, type Sender } from "../load/ledger.ts";
import { checkEnd, checkItems } from "./result.ts";
import { describeViolation } from "./violation.ts";

/** One sender "s" whose items took these numbers of calls; all were acknowledged in the end. */
function sender(...attempts: readonly number[]): Sender {
  const sent = attempts.map((count, index) => {
    return { n: index + 1, attempts: count, acknowledged: true };
  });
  return { sender: "s", sent };
}

function rules(senders: readonly Sender[], ...taken: readonly number[]): string[] {
  return checkItems(
    "i",
    senders,
    taken.map((n) => ({ sender: "s", n })),
  ).map(({ rule }) => rule);
}

describe("checkItems()", () => {
  test("takes what was raised", () => {
    expect(rules([sender(1, 1, 1)], 1, 2, 3)).toEqual([]);
  });

  test("takes a second copy only where a call broke", () => {
    expect(rules([sender(1, 2, 1)], 1, 2, 2, 3)).toEqual([]);
    expect(rules([sender(1, 1, 1)], 1, 2, 2, 3)).toEqual([
      "no event is taken more often than it was raised",
    ]);
    expect(rules([sender(1, 2, 1)], 1, 2, 2, 2, 3)).toEqual([
      "no event is taken more often than it was raised",
    ]);
  });

  test("finds a lost event, unless it was never acknowledged", () => {
    expect(rules([sender(1, 1, 1)], 1, 3)).toEqual(["no acknowledged event is lost"]);
    const half = { sender: "s", sent: [{ n: 1, attempts: 1, acknowledged: false }] };
    expect(rules([half])).toEqual([]);
  });

  test("finds events out of order", () => {
    expect(rules([sender(1, 1, 1)], 1, 3, 2)).toEqual(["events of one sender keep their order"]);
  });

  test("finds events that nobody raised", () => {
    expect(rules([sender(1)], 1, 2)).toEqual(["no event comes from nowhere"]);
    expect(checkItems("i", [], [{ sender: "x", n: 1 }]).map(describeViolation)).toEqual([
      'no event comes from nowhere: "i": {"sender":"x","n":1}',
    ]);
  });

  test("finds an output that is no list of events", () => {
    expect(checkItems("i", [], undefined).map(({ rule }) => rule)).toEqual(["the result is right"]);
  });
});

describe("checkEnd()", () => {
  const facts = { instanceId: "i", workflow: "w", input: 0 };

  test("finds a wrong output", () => {
    const entry = createEntry({ ...facts, expected: { kind: "output", output: 7 } });
    expect(checkEnd(entry, { status: "completed", output: 7 })).toEqual([]);
    expect(checkEnd(entry, { status: "completed", output: 8 }).map(describeViolation)).toEqual([
      'the result is right: "i": 8 in place of 7',
    ]);
  });

  test("finds an end that nobody asked for", () => {
    const entry = createEntry({ ...facts, expected: { kind: "output", output: 7 } });
    const ends = ["terminated", "failed", "running"].map((status) => {
      return checkEnd(entry, { status, output: 7 }).map(({ rule }) => rule);
    });
    expect(ends).toEqual([
      ["nobody terminated it"],
      ["every workflow ends as it should"],
      ["every workflow ends as it should"],
    ]);
  });

  test("finds a terminated instance that completed, or has another output", () => {
    const entry = createEntry({ ...facts, expected: { kind: "none" } });
    entry.terminate = "acknowledged";
    expect(checkEnd(entry, { status: "terminated", output: "stopped" })).toEqual([]);
    expect(checkEnd(entry, { status: "terminated", output: null })).toHaveLength(1);
    expect(checkEnd(entry, { status: "completed", output: null })).toHaveLength(1);
  });
});
