// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { measure } from "./measure.mjs";

const lines = (count) => "\n  a();".repeat(count);

describe("measure()", () => {
  test("counts a function's lines, those of functions within it included", () => {
    const { functions } = measure(
      "a.ts",
      `function outer() {\n  const inner = () => {${lines(3)}\n  };\n}`,
    );
    expect(functions).toEqual([
      { line: 1, lines: 7, describes: false },
      { line: 2, lines: 5, describes: false },
    ]);
  });

  test("tells what holds tests from a test", () => {
    const text = `describe("a", () => {\n  test("b", () => {${lines(1)}\n  });\n});`;
    const marks = measure("a.test.ts", text).functions.map(({ describes }) => describes);
    expect(marks).toEqual([true, false]);
  });

  test("counts the values that a file offers, and no types", () => {
    const text = [
      "export const a = 1;",
      "export function b(c: string): void;",
      "export function b(c: number): void;",
      "export function b(): void {}",
      "export async function* d() {}",
      "export abstract class E {}",
      "export interface F {}",
      "export type G = 1;",
      'export { h, type I } from "./h.js";',
      'export type { J } from "./j.js";',
      "export const k = 1, l = 2;",
      "export const { m, n: { o }, ...p } = q;",
      "const r = 1;",
      "export { r as s };",
    ].join("\n");
    expect(measure("a.ts", text).offered.join(" ")).toBe("a b d E h k l m o p s");
  });

  test("finds what is exported without a doc comment", () => {
    const text = [
      "/** A. */",
      "export const a = 1;",
      "// B.",
      "export function* b() {}",
      "/** C. */",
      "",
      "// biome-ignore format: a table",
      "export const c = [];",
      "/** D. */",
      "const other = 1;",
      "export type D = 1;",
      "/** E. */",
      "export function e(text: string): void;",
      "export function e(): void {}",
      "function f() {}",
      "/** G. */",
      "function g() {}",
      "export { f, g as h };",
    ].join("\n");
    expect(measure("a.ts", text).undocumented).toEqual([
      { line: 4, name: "b" },
      { line: 11, name: "D" },
      { line: 15, name: "f" },
    ]);
  });

  test("finds where all of a module is handed on", () => {
    const text =
      'export { a } from "./a.js";\nexport * from "./b.js";\nexport * as c from "./c.js";';
    expect(measure("a.ts", text).exportsAll).toEqual([
      { line: 2, specifier: "./b.js" },
      { line: 3, specifier: "./c.js" },
    ]);
  });

  test("counts casts, in whatever form", () => {
    const text =
      "const a = b as C;\nconst d = <E>a;\nconst f = [1] as const;\nimport { g as h } from 'i';";
    expect(measure("a.ts", text).casts).toBe(2);
  });
});
