// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { DaprError } from "./error.js";
import { parseStartTime } from "./start-time.js";

describe("parseStartTime()", () => {
  test.each([
    ["2009-11-10T23:00:00Z", Date.UTC(2009, 10, 10, 23)],
    ["2009-11-10T23:00:00.5+01:00", Date.UTC(2009, 10, 10, 22, 0, 0, 500)],
  ])("reads %s", (text, at) => {
    expect(parseStartTime(text, "w")).toBe(at);
  });

  test.each([
    "",
    "tomorrow",
    "2009-11-10",
    "2009-13-10T23:00:00Z",
    "2009-02-30T23:00:00Z",
    "2009-02-28T24:00:00Z",
  ])("refuses '%s'", (text) => {
    expect(() => parseStartTime(text, "w")).toThrow(DaprError);
  });
});
