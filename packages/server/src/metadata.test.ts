// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { fakeEngine } from "../test/fake-engine.js";
import { Components } from "./component/components.js";
import { ServerMetadata } from "./metadata.js";

function openMetadata(): { metadata: ServerMetadata; keys: () => string[] } {
  const metadata = new ServerMetadata("pawl", Components.of(fakeEngine()));
  const keys = () =>
    Object.keys(metadata.read().extended).filter((key) => key !== "daprRuntimeVersion");
  return { metadata, keys };
}

describe("the entries of callers", () => {
  test("are as many as there is room for; the oldest go", () => {
    const { metadata, keys } = openMetadata();
    for (let at = 0; at <= limits.metadataEntries; at += 1) metadata.set(`k${at}`, "v");
    expect(keys()).toHaveLength(limits.metadataEntries);
    expect(keys()).not.toContain("k0");
  });

  test("have so many bytes together; the oldest go", () => {
    const { metadata, keys } = openMetadata();
    const half = "v".repeat(limits.metadataBytes / 2 - 1);
    metadata.set("a", half);
    metadata.set("b", half);
    expect(keys()).toEqual(["a", "b"]);
    metadata.set("c", "");
    expect(keys()).toEqual(["b", "c"]);
  });

  test("are replaced by their keys, and count once", () => {
    const { metadata, keys } = openMetadata();
    const half = "v".repeat(limits.metadataBytes / 2 - 1);
    for (const value of [half, half, half, "new"]) metadata.set("a", value);
    metadata.set("b", half);
    expect(keys()).toEqual(["a", "b"]);
    expect(metadata.read().extended.a).toBe("new");
  });
});
