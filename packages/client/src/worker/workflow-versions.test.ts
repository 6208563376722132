// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent } from "@pawl/protocol";
import { historyEvent } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { type VersionOptions, workflow } from "../index.js";
import { WorkflowVersions } from "./workflow-versions.js";

const order = (options?: VersionOptions) => workflow("order", async () => {}, options);
const plain = order();
const v1 = order({ version: "v1" });
const v2 = order({ version: "v2", latest: true });

const stalled = historyEvent(-1, 1, { case: "executionStalled", value: {} });

/** A history whose turns ran with these versions; "": with none. */
function pastOf(...versions: string[]): HistoryEvent[] {
  return versions.map((name) => {
    const value = name === "" ? {} : { version: { name, patches: [] } };
    return historyEvent(-1, 1, { case: "workflowStarted", value });
  });
}

describe("the version of an execution", () => {
  const versions = new WorkflowVersions("order", [v1, v2]);

  test("that is new is the latest, also when it stalled before its first turn", () => {
    expect(versions.choose([])).toBe(v2);
    expect(versions.choose([stalled])).toBe(v2);
  });

  test("stays the one that it began with", () => {
    expect(versions.choose(pastOf("v1"))).toBe(v1);
    expect(versions.choose([...pastOf("v1"), stalled])).toBe(v1);
    expect(versions.choose(pastOf("", "v1", "v2"))).toBe(v1);
  });

  test("is not to be had where the worker lacks it", () => {
    expect(versions.choose(pastOf("v0"))).toBeUndefined();
    expect(new WorkflowVersions("order", [plain]).choose(pastOf("v1"))).toBeUndefined();
    const old = new WorkflowVersions("order", [order({ version: "v1", latest: false })]);
    expect(old.choose([])).toBeUndefined();
    expect(old.choose(pastOf("v1"))?.version).toBe("v1");
  });

  test("is none, or the latest, where it began without one", () => {
    expect(new WorkflowVersions("order", [plain, v2]).choose(pastOf(""))).toBe(plain);
    expect(new WorkflowVersions("order", [plain, v2]).choose([])).toBe(v2);
    expect(new WorkflowVersions("order", [plain]).choose([])).toBe(plain);
    expect(versions.choose(pastOf(""))).toBe(v2);
    const draining = [plain, order({ version: "v1", latest: false })];
    expect(new WorkflowVersions("order", draining).choose([])).toBeUndefined();
  });

  test("is the only one that there is", () => {
    expect(new WorkflowVersions("order", [v1]).choose([])).toBe(v1);
  });
});

describe("versions of one workflow are refused", () => {
  test.each([
    ["two of one name", [v1, order({ version: "v1" })], 'order", version "v1"'],
    ["two without a version", [plain, order()], 'two definitions of workflow "order"'],
    ["two that are the latest", [v2, order({ version: "v3", latest: true })], "the latest"],
    ["several of which none is said to be it", [v1, order({ version: "v3" })], "say which"],
  ])("%s", (_what, definitions, words) => {
    expect(() => new WorkflowVersions("order", definitions)).toThrow(words);
  });
});
