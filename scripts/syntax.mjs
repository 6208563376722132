// SPDX-License-Identifier: Apache-2.0

// TypeScript and scripts as trees (ESTree), for checks that a pattern on the text cannot make.

import { parseSync } from "oxc-parser";

/** The tree of a file and its comments. Throws when the text does not parse. */
export function parse(file, text) {
  const { program, comments } = requireParsed(file, parseSync(file, text));
  return { program, comments };
}

function requireParsed(file, result) {
  if (result.errors.length > 0) throw new Error(`${file}: ${result.errors[0].message}`);
  return result;
}

/**
 * The statements of a file that import or hand on: { specifier, start }, and its tree for whoever
 * needs it. Throws when the text does not parse.
 */
export function parseModule(file, text) {
  const result = requireParsed(file, parseSync(file, text));
  const { staticImports, staticExports } = result.module;
  const exported = staticExports.flatMap(({ start, entries }) => {
    const source = entries.find(({ moduleRequest }) => moduleRequest)?.moduleRequest;
    return source === undefined ? [] : [{ specifier: source.value, start }];
  });
  const imported = staticImports.map(({ moduleRequest, start }) => ({
    specifier: moduleRequest.value,
    start,
  }));
  return { statements: [...imported, ...exported], tree: () => result.program };
}

/**
 * Calls `visit(node, parent, key)` for every node below one, parents first; `key` is the parent's
 * field that has the node. A node for which it returns false is not gone into.
 */
export function walk(node, visit, parent, key) {
  if (Array.isArray(node)) {
    for (const item of node) walk(item, visit, parent, key);
    return;
  }
  if (node === null || typeof node !== "object" || typeof node.type !== "string") return;
  if (visit(node, parent, key) === false) return;
  for (const [field, value] of Object.entries(node)) walk(value, visit, node, field);
}

/** A function that gives the line, from 1, of an offset in a text. */
export function lineFinder(text) {
  return (offset) => text.slice(0, offset).split("\n").length;
}
