// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "vitest";
import { findImpurities } from "./purity.mjs";

const impure = {
  "the time": "const a = () => Date.now();",
  "the time in a template": ["const a = () => `$", "{Date.now()}`;"].join(""),
  "the time between two regular expressions": 'const a = () => [/"/, Date.now(), /"/];',
  "the time of the messages' library": 'import { timestampNow } from "@bufbuild/protobuf/wkt";',
  "a package as a whole": 'import * as wkt from "@bufbuild/protobuf/wkt";',
  "all of a module, handed on": 'export * from "@bufbuild/protobuf/wkt";',
  "another clock": "const a = () => performance.now();",
  chance: "const a = () => Math.random();",
  "chance by another name": "const { random } = Math;",
  "chance by a computed name": 'const a = () => Math["random"]();',
  "random ids": "const a = () => crypto.randomUUID();",
  "a timer": "const a = () => setTimeout(() => {}, 1);",
  "the end of a timer": "const a = (timer: number) => clearTimeout(timer);",
  "all globals": 'const a = () => globalThis["Date"];',
  "an inherited constructor": 'const a = () => [].constructor.constructor("return 1")();',
  "code in a text": 'const a = () => eval("1");',
  output: "const a = () => console.log(1);",
  "the network": 'const a = () => fetch("x");',
  "the process": "const a = () => process.env;",
  "a dynamic import": "const a = (name: string) => import(name);",
  "a module's address": "const a = import.meta.url;",
  "the machine's language": 'const a = () => "a".localeCompare("b");',
  "the machine's language for numbers": "const a = () => new Intl.NumberFormat();",
  "a promise": "const a = new Promise(() => {});",
  "a promise of another": "const a = (promise: PromiseLike<1>) => promise.then(() => 2);",
  "an async function": "const a = async () => 1;",
  "the garbage collector": "const a = (object: object) => new WeakRef(object);",
  "a counter": "let count = 0;",
  "a cache": "const cache = new Map<string, number>();",
  "a list to add to": "const list: number[] = [];",
  "a member of its own that changes": "const a = { n: 0, m: { n: 0 } }; const c = () => a.m.n++;",
  "a static field": "class A { static count = 0; }",
  "a promise of a list": "const a = Array.fromAsync([]);",
  "memory of others": "const a = () => Buffer.allocUnsafe(8);",
  "an inherited constructor by its text": 'const a = () => []["constructor"];',
};

const pure = {
  "arithmetic and texts": 'const a = (n: number) => String(Math.max(n, 1)) + "Date.now()";',
  "its own names, whatever they are":
    "const a = (process: number, { fetch }: A) => process + fetch;",
  "members named as globals":
    "const a = (item: Item) => ({ process: item.process, Date: item.crypto });",
  types: "const a = (at: Date): Promise<void> | undefined => undefined;",
  "imported types": 'import type { setAlarm } from "@pawl/protocol";',
  "collections of one call": "const a = () => new Map([[1, new Set<string>()]]);",
  "tables that stay":
    'const a: ReadonlySet<string> = new Set(["b"]);\nconst none: readonly A[] = [];',
  "a member that changes of what a call has made":
    "const a = (n: number) => { const c = { n }; c.n += 1; return c.n; };",
  "a static constant": "class A { static readonly count = 0; }",
  "what is said in comments": "/* await Date.now() */ const a = 1;",
};

describe("findImpurities()", () => {
  test.each(Object.entries(impure))("finds %s", (_, text) => {
    expect(findImpurities("a.ts", `const b = 1;\n${text}\n`)[0]).toMatch(/^a\.ts:2: must not use /);
  });

  test.each(Object.entries(pure))("lets %s pass", (_, text) => {
    expect(findImpurities("a.ts", text)).toEqual([]);
  });
});
