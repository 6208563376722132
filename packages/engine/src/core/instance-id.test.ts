// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { instanceIdFault } from "./instance-id.js";

describe("instanceIdFault()", () => {
  test.each(["a", "order-1", "a b", "a:0000", "../..", "größe", "日本", "😀", "\u202e"])(
    "allows %j",
    (instanceId) => expect(instanceIdFault(instanceId)).toBeUndefined(),
  );

  test("counts bytes, not characters", () => {
    expect(instanceIdFault("a".repeat(limits.instanceIdBytes))).toBeUndefined();
    expect(instanceIdFault("a".repeat(limits.instanceIdBytes + 1))).toContain("513 bytes");
    expect(instanceIdFault("😀".repeat(128))).toBeUndefined();
    expect(instanceIdFault("😀".repeat(129))).toContain("516 bytes");
  });

  test("refuses an empty id", () => {
    expect(instanceIdFault("")).toContain("needed");
  });

  test.each(["\u0000", "a\u0000b", "\n", "a\u007f", "\u009f"])(
    "refuses the control character in %j",
    (instanceId) => expect(instanceIdFault(instanceId)).toContain("control characters"),
  );

  test.each(["\ud800", "a\udfff", "\udc00\ud800"])(
    "refuses the half character in %j",
    (instanceId) => expect(instanceIdFault(instanceId)).toContain("halves of characters"),
  );
});
