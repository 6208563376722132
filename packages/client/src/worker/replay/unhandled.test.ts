// SPDX-License-Identifier: Apache-2.0

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { history as h } from "../../../test/history.js";
import { asked, replayOf, silent } from "../../../test/replay-of.js";
import { workflow } from "../../definition.js";
import { breathe } from "./settle.js";

const late = workflow("late", async (ctx) => {
  const both = Promise.all([ctx.activity("a"), ctx.activity("b")]);
  await ctx.sleep(10);
  return both.catch((error: unknown) => String(error));
});

/** The runner's own listeners would take these rejections for faults of the tests. */
let others: NodeJS.UnhandledRejectionListener[] = [];

beforeEach(() => {
  others = process.listeners("unhandledRejection");
});

afterEach(() => {
  for (const listener of others) {
    if (!process.listeners("unhandledRejection").includes(listener)) {
      process.on("unhandledRejection", listener);
    }
  }
});

describe("a rejected promise that the code awaits later", () => {
  test("is a line in the log, and its rejection when it is awaited", async () => {
    const lines: unknown[] = [];
    const log = { ...silent, warn: (_facts: unknown, message: string) => lines.push(message) };
    const replay = replayOf(late, log);
    for (const listener of others) process.off("unhandledRejection", listener);
    await replay.turn([], [h.turn(1), h.start("late")]);
    await replay.turn([], [h.turn(2), h.activityFailed(1)]);
    await breathe();
    expect(lines).toEqual(["a rejected promise is not awaited yet"]);
    const end = await replay.turn([], [h.turn(11), h.timerFired(2)]);
    expect(asked(end)[0]).toContain("completed");
    expect(asked(end)[0]).toContain("ActivityFailedError");
  });
});
