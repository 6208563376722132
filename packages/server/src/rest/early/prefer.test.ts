// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { parseWait, waitLimitSeconds } from "./prefer.js";

describe("parseWait()", () => {
  test.each([
    ["wait=10", 10],
    ["respond-async, wait=10", 10],
    ["Wait = 10; x=1", 10],
    ['wait="10"', 10],
    ["wait=5, wait=10", 5],
    ["wait=999999", waitLimitSeconds],
    [["respond-async", "wait=3"], 3],
    ["wait=0", 0],
    ["wait", 0],
    ["wait=soon", 0],
    ["wait=-1", 0],
    ["wait=1.5", 0],
    ["waits=1", 0],
    ["", 0],
    [undefined, 0],
  ])("reads %j as %i seconds", (header, seconds) => {
    expect(parseWait(header)).toBe(seconds);
  });
});
