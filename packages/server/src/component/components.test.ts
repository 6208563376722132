// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { fakeEngine } from "../../test/fake-engine.js";
import type { DaprError } from "../dapr/error.js";
import { getHealth } from "../rest/health.js";
import { type Component, Components } from "./components.js";

function component(name: string, isReady = true): Component {
  const engine = fakeEngine({ isReady: () => isReady, workerCount: () => 1 });
  const { signal: gone } = new AbortController();
  return { name, type: "workflow.dapr", version: "v1", engine, gone };
}

function served(takesAnyName: boolean, ...names: string[]): Components {
  const components = new Components(takesAnyName);
  for (const name of names) components.add(component(name));
  return components;
}

/** The name of what a call is for, or what it is told. */
function chosen(
  components: Components,
  name: string,
  headerComponent = "",
  ignoresUnknown = false,
): string {
  try {
    return components.choose({ component: name, headerComponent }, ignoresUnknown).name;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const absent = "workflow component 'x' does not exist";

describe("choose()", () => {
  test.each([
    ["", "", "dapr"],
    ["dapr", "", "dapr"],
    ["", "billing", "billing"],
    ["dapr", "billing", "billing"],
    ["billing", "", "billing"],
    ["billing", "dapr", "billing"],
    ["billing", "x", "billing"],
    ["x", "", absent],
    ["x", "billing", absent],
    ["", "x", absent],
    ["dapr", "x", absent],
  ])("takes %j with the header %j for: %s", (name, header, outcome) => {
    expect(chosen(served(false, "dapr", "billing"), name, header)).toBe(outcome);
  });

  test("takes any name for what a call without one means, where there is no other and may be none", () => {
    expect(chosen(served(true, "dapr"), "x")).toBe("dapr");
    expect(chosen(served(true, "dapr", "billing"), "x")).toBe(absent);
    expect(chosen(served(false, "dapr"), "x")).toBe(absent);
    const withData = served(true, "dapr");
    withData.withhold(["billing"]);
    expect(chosen(withData, "x")).toBe(absent);
  });

  test("takes any unknown name as Dapr does when asked to, but never that of a known one", () => {
    const components = served(false, "dapr", "billing");
    components.expect("x");
    expect(chosen(components, "y", "", true)).toBe("dapr");
    expect(chosen(components, "y", "billing", true)).toBe("billing");
    expect(chosen(components, "x", "", true)).toBe(absent);
    components.remove("billing");
    expect(chosen(components, "billing", "", true)).toContain("does not exist");
    components.add(component("x"));
    expect(chosen(components, "x")).toBe("x");
  });
});

describe("Components", () => {
  test("count the workers of all, and name those that are not ready", async () => {
    const components = served(true, "dapr", "billing");
    components.add(component("audit", false));
    expect(components.workerCount()).toBe(3);
    expect(components.unready()).toEqual(["audit"]);
    const call = { request: { resume() {} }, query: new URLSearchParams() };
    const health = async (): Promise<unknown> => getHealth(components, "pawl")(call as never);
    const { errorCode, message } = await health().then(
      () => ({ errorCode: "", message: "" }),
      (error: DaprError) => error,
    );
    expect([errorCode, message]).toEqual([
      "ERR_HEALTH_NOT_READY",
      "dapr is not ready: [store of audit]",
    ]);
    components.remove("audit");
    expect(await health()).toEqual({ status: 204 });
  });

  test("tell of every change, until nobody listens", () => {
    const components = served(true, "dapr");
    let changes = 0;
    const stop = components.onChange(() => {
      changes += 1;
    });
    components.add(component("billing"));
    components.setPort("billing", 3510);
    components.setPort("billing", 3510);
    components.remove("billing");
    components.remove("billing");
    stop();
    components.add(component("billing"));
    expect(changes).toBe(3);
  });
});
