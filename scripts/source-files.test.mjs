// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { listImports, stripCommentsAndStrings } from "./source-files.mjs";

describe("stripCommentsAndStrings()", () => {
  test("keeps code and line numbers, drops the rest", () => {
    const text = 'const a = "await"; // Date\n/* setTimeout\n*/ const b = `\nPromise`;\nawait c;';
    const lines = stripCommentsAndStrings(text).split("\n");
    expect(lines).toHaveLength(text.split("\n").length);
    expect(lines.join("\n")).not.toMatch(/Date|setTimeout|Promise/);
    expect(lines.at(-1)).toBe("await c;");
  });

  test("sees an address in a string as part of the string", () => {
    expect(stripCommentsAndStrings('get("http://x", now);')).toBe('get("", now);');
  });
});

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
