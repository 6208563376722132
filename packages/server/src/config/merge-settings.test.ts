// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { mergeSettings } from "./merge-settings.js";

describe("mergeSettings()", () => {
  test("puts what is over before what is under, field by field and name by name", () => {
    const under = {
      keepExecutions: true,
      historyLimit: { events: 1 },
      concurrency: { turns: 1, activities: 1, turnsOf: { a: 1, b: 1 } },
      retention: { anyMs: 1, failedMs: 1, byWorkflow: { a: { anyMs: 1 } } },
    };
    const over = {
      keepExecutions: false,
      concurrency: { turns: 2, turnsOf: { b: 2 }, activitiesOf: { c: 2 } },
      retention: { anyMs: 2, byWorkflow: { b: { anyMs: 2 } } },
    };
    expect(mergeSettings(under, over)).toEqual({
      keepExecutions: false,
      historyLimit: { events: 1 },
      concurrency: { turns: 2, activities: 1, turnsOf: { a: 1, b: 2 }, activitiesOf: { c: 2 } },
      retention: { anyMs: 2, failedMs: 1, byWorkflow: { a: { anyMs: 1 }, b: { anyMs: 2 } } },
    });
  });
});
