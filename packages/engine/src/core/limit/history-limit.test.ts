// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { complete, continueWith, schedule, timer } from "../../../test/actions.js";
import { kindsOf, PureInstance } from "../../../test/pure-instance.js";
import { raiseEvent } from "../command/raise-event.js";

/** An instance with three events in its history, and one in its inbox. */
function waiting(): PureInstance {
  const instance = PureInstance.after([timer(0, 9000)]);
  instance.do(raiseEvent(instance.state, { name: "go", input: undefined }, instance.now));
  return instance;
}

describe("a turn on a long history", () => {
  test.each([
    ["events", { historyLimit: { events: 5 } }, "3 events, and 3 more are over the limit of 5"],
    ["bytes", { historyLimit: { bytes: 70 }, historyBytes: 70 }, "70 bytes; the limit is 70"],
  ])("fails the instance when it is over the limit in %s", (_, limit, message) => {
    const instance = waiting();
    instance.turn([schedule(1, "charge")], limit);
    expect(kindsOf(instance.history).slice(3)).toEqual([
      "workflowStarted",
      "eventRaised",
      "executionCompleted",
    ]);
    expect(instance.state.fold).toMatchObject({ end: "failed", tasks: new Map() });
    expect(instance.history.at(-1)?.event.eventType.value).toMatchObject({
      failureDetails: {
        errorType: "HistoryTooLarge",
        errorMessage: expect.stringContaining(message),
        isNonRetriable: true,
      },
    });
  });

  test("goes on below the limit, and without one", () => {
    for (const limit of [{ historyLimit: { events: 6 } }, { historyLimit: {} }, {}]) {
      const instance = waiting();
      instance.turn([schedule(1, "charge")], limit);
      expect(instance.state.fold.end).toBeUndefined();
    }
  });

  test("may end, or continue as new, whatever it has", () => {
    const limit = { historyLimit: { events: 1, bytes: 1 }, historyBytes: 9 };
    const ended = waiting();
    ended.turn([complete(1)], limit);
    expect(ended.state.fold.end).toBe("completed");
    const next = waiting();
    next.turn([continueWith(1)], limit);
    expect(next.state).toMatchObject({ generation: 2, fold: { end: undefined } });
  });
});
