// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { listImports } from "./source-files.mjs";

describe("listImports()", () => {
  test("finds imports, re-exports, types and dynamic imports with their lines", () => {
    const text = [
      'import "./a.js";',
      "import {",
      "  b,",
      '} from "./b.js";',
      'import type { C } from "./c.js";',
      'export * from "./d.js";',
      'const e = await import("./e.js");',
      'export const text = "from here";',
    ].join("\n");
    expect(listImports(text)).toEqual([
      { specifier: "./a.js", typeOnly: false, line: 1 },
      { specifier: "./b.js", typeOnly: false, line: 2 },
      { specifier: "./c.js", typeOnly: true, line: 5 },
      { specifier: "./d.js", typeOnly: false, line: 6 },
      { specifier: "./e.js", typeOnly: false, line: 7 },
    ]);
  });
});
