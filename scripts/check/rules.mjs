// SPDX-License-Identifier: Apache-2.0

// Holds the rules of docs/semantics.md to their tests: every rule has one in
// packages/engine/test/rules.json, and every test that is named there exists.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { readText } from "../source-files.mjs";
import { parse, walk } from "../syntax.mjs";
import { root } from "../workspace.mjs";

const page = "docs/semantics.md";
const table = "packages/engine/test/rules.json";

/** The names of the tests in a text, by the ending of its file. */
const testNames = {
  ts: listTests,
  py: (_file, text) => listMatches(text, /^ *def (test_\w+)\(/gm),
  go: (_file, text) => listMatches(text, /^func (Test\w+)\(/gm),
  java: (_file, text) => listMatches(text, /@Test\s+void (\w+)\(/g),
};

function listMatches(text, pattern) {
  return new Set([...text.matchAll(pattern)].map(([, name]) => name));
}

/** The names of the tests that a module has, as they are written, but for those that never run. */
export function listTests(file, text) {
  const names = new Set();
  walk(parse(file, text).program, (node) => {
    const [name] = node.type === "CallExpression" ? node.arguments : [];
    const isText = name?.type === "TemplateLiteral" || typeof name?.value === "string";
    if (isText && isTest(node.callee)) names.add(text.slice(name.start + 1, name.end - 1));
    return true;
  });
  return names;
}

/** True for `test`, `test.each(…)` and their like, false for `test.skip` and `test.todo`. */
function isTest(callee) {
  if (callee.type === "CallExpression") return isTest(callee.callee);
  if (callee.type !== "MemberExpression") return callee.name === "test";
  return !/^(skip|todo)$/.test(callee.property.name) && isTest(callee.object);
}

/** Every rule of the page has a row in the table, and the other way round. */
export function checkRulesHaveTests() {
  const rules = [...readText(page).matchAll(/^\| (\d+(?:\.\d+)+) \| /gm)].map(([, rule]) => rule);
  const rows = Object.entries(JSON.parse(readText(table)));
  const tested = new Set(rows.filter(([, files]) => hasTest(files)).map(([rule]) => rule));
  return [
    ...rules.filter((rule) => !tested.has(rule)).map((rule) => `${table}: no test of rule ${rule}`),
    ...rows
      .filter(([rule]) => !rules.includes(rule))
      .map(([rule]) => `${page}: no rule ${rule}, which ${table} has`),
    ...rules
      .filter((rule, index) => rules.indexOf(rule) !== index)
      .map((rule) => `${page}: rule ${rule} is there twice`),
  ];
}

function hasTest(files) {
  return Object.values(files).some((names) => names.length > 0);
}

/** Every test that the table names exists in the file that it names. */
export function checkRuleTestsExist() {
  const problems = new Set();
  for (const [rule, files] of Object.entries(JSON.parse(readText(table)))) {
    for (const [file, names] of Object.entries(files)) {
      if (!existsSync(join(root, file))) {
        problems.add(`${table}: rule ${rule} names ${file}, which there is not`);
        continue;
      }
      const listNames = testNames[file.slice(file.lastIndexOf(".") + 1)];
      const present = listNames(file, readText(file));
      for (const name of names) {
        if (!present.has(name)) {
          problems.add(`${table}: rule ${rule}: ${file} has no test "${name}"`);
        }
      }
    }
  }
  return [...problems];
}
