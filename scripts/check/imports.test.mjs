// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { listImports } from "./imports.mjs";

describe("listImports()", () => {
  test("finds imports, re-exports, types and dynamic imports with their lines", () => {
    const text = [
      'import "./a.js"; import b from "./b.js";',
      "import {",
      '  c, // from elsewhere; "so"',
      '} from "./c.js";',
      'import type { D } from "./d.js";',
      'export * from "./e.js";',
      'export { f } from "./f.js";',
      'const g = await import("./g.js");',
      "const h = await import(`./h.js`);",
      'let i: import("./i.js").I;',
      'const j = require("./j.js");',
      "const k = await import(b);",
      'export const text = "from here"; // import "./no.js"',
    ].join("\n");
    expect(listImports("x.ts", text)).toEqual([
      { specifier: "./a.js", line: 1 },
      { specifier: "./b.js", line: 1 },
      { specifier: "./c.js", line: 2 },
      { specifier: "./d.js", line: 5 },
      { specifier: "./e.js", line: 6 },
      { specifier: "./f.js", line: 7 },
      { specifier: "./g.js", line: 8 },
      { specifier: "./h.js", line: 9 },
      { specifier: "./i.js", line: 10 },
      { specifier: "./j.js", line: 11 },
      { specifier: undefined, line: 12 },
    ]);
  });
});
