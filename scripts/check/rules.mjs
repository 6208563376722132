// SPDX-License-Identifier: Apache-2.0

// Holds the rules of docs/semantics.md to their tests: every rule has one in
// packages/engine/test/rules.json, and every test that is named there exists.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { readText } from "../source-files.mjs";
import { root } from "../workspace.mjs";

const page = "docs/semantics.md";
const table = "packages/engine/test/rules.json";

const escaped = (text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** What declares a test of this name, by the ending of its file. */
const declarations = {
  ts: (name) => new RegExp(`\\(\\s*(["'\`])${escaped(name)}\\1,`),
  py: (name) => new RegExp(`^ *def ${name}\\(`, "m"),
  go: (name) => new RegExp(`^func ${name}\\(`, "m"),
  java: (name) => new RegExp(`void ${name}\\(`),
};

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
      const text = readText(file);
      const declares = declarations[file.slice(file.lastIndexOf(".") + 1)];
      for (const name of names) {
        if (!declares(name).test(text)) {
          problems.add(`${table}: rule ${rule}: ${file} has no test "${name}"`);
        }
      }
    }
  }
  return [...problems];
}
