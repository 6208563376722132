// SPDX-License-Identifier: Apache-2.0

// What there is to count in one source file.

import { lineFinder, parse, walk } from "../syntax.mjs";

/**
 * The figures of a file:
 *   functions     those with a body in braces: { line, lines, describes }; the last is true for one
 *                 that only holds tests, as that of a `describe` does
 *   offered       the names of the values that it exports
 *   undocumented  what it exports without a doc comment: { line, name }
 *   casts         its type assertions; `as const` is none
 */
export function measure(file, text) {
  const { program, comments } = parse(file, text);
  const lineOf = lineFinder(text);
  const functions = [];
  let casts = 0;
  walk(program, (node, parent) => {
    if (isFunctionWithBody(node)) {
      const line = lineOf(node.start);
      const lines = lineOf(node.end) - line + 1;
      functions.push({ line, lines, describes: isGivenToDescribe(parent, text) });
    }
    if (isCast(node)) casts += 1;
    return true;
  });
  const exported = listExports(program);
  const undocumented = findUndocumented(exported, comments, text);
  return {
    functions,
    offered: offeredValues(exported),
    undocumented: undocumented.map(({ node, name }) => ({ line: lineOf(node.start), name })),
    casts,
  };
}

function isFunctionWithBody({ type, body }) {
  const isFunction = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/;
  return isFunction.test(type) && body?.type === "BlockStatement";
}

function isGivenToDescribe(parent, text) {
  return (
    parent?.type === "CallExpression" &&
    /^describe\b/.test(text.slice(parent.callee.start, parent.callee.end))
  );
}

function isCast({ type, typeAnnotation }) {
  if (type === "TSAsExpression") return typeAnnotation.typeName?.name !== "const";
  return type === "TSTypeAssertion";
}

/** The export statements of a module: [{ node, declaration, name }]. */
function listExports({ body }) {
  return body
    .filter(({ type }) => type === "ExportNamedDeclaration")
    .map((node) => {
      const declaration = node.declaration ?? undefined;
      const name = (declaration?.id ?? declaration?.declarations?.[0].id)?.name;
      return { node, declaration, name };
    });
}

function offeredValues(exported) {
  const names = new Set();
  for (const { node, declaration, name } of exported) {
    if (node.exportKind === "type") continue;
    if (declaration !== undefined) names.add(name);
    for (const { exported, exportKind } of node.specifiers) {
      if (exportKind !== "type") names.add(exported.name);
    }
  }
  return [...names];
}

function findUndocumented(exported, comments, text) {
  const isDocumented = ({ start }) =>
    comments.some(
      ({ type, value, end }) =>
        type === "Block" &&
        value.startsWith("*") &&
        end <= start &&
        /^\s*(\/\/ biome-ignore[^\n]*\s*)*$/.test(text.slice(end, start)),
    );
  const declared = exported.filter(({ declaration }) => declaration !== undefined);
  // The overloads of a function share the comment of the first.
  const isFirst = ({ name }, index) => declared.findIndex((other) => other.name === name) === index;
  return declared.filter(isFirst).filter(({ node }) => !isDocumented(node));
}
