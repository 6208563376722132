// SPDX-License-Identifier: Apache-2.0

// What there is to count in one source file.

import { lineFinder, parse, walk } from "../syntax.mjs";

/**
 * The figures of a file:
 *   functions     those with a body in braces: { line, lines, describes }; the last is true for one
 *                 that only holds tests, as that of a `describe` does
 *   offered       the names of the values that it exports
 *   undocumented  what it exports without a doc comment: { line, name }
 *   exportsAll    its `export *`: { line, specifier }
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
    exportsAll: program.body
      .filter(({ type }) => type === "ExportAllDeclaration")
      .map(({ start, source }) => ({ line: lineOf(start), specifier: source.value })),
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

/**
 * What a module exports, a name each: [{ node, name, isType }]. The node is the statement that
 * declares it; undefined for what comes from another module.
 */
function listExports({ body }) {
  const declared = body.flatMap((node) =>
    namesOf(node.declaration ?? node).map((name) => ({ node, name })),
  );
  const exports = body.filter(({ type }) => type === "ExportNamedDeclaration");
  return exports.flatMap((node) => {
    const own = namesOf(node.declaration).map((name) => ({
      node,
      name,
      isType: node.exportKind === "type",
    }));
    const named = node.specifiers.map(({ local, exported, exportKind }) => ({
      node: node.source ? undefined : declared.find(({ name }) => name === local.name)?.node,
      name: exported.name,
      isType: node.exportKind === "type" || exportKind === "type",
    }));
    return [...own, ...named];
  });
}

/** The names that a declaration gives. */
function namesOf(declaration) {
  if (declaration?.id) return [declaration.id.name];
  const names = new Set();
  for (const { id } of declaration?.declarations ?? []) {
    walk(id, (node, parent, key) => {
      if (node.type === "TSTypeAnnotation") return false;
      if (node.type === "Identifier" && !(parent?.type === "Property" && key === "key")) {
        names.add(node.name);
      }
      return true;
    });
  }
  return [...names];
}

function offeredValues(exported) {
  return [...new Set(exported.filter(({ isType }) => !isType).map(({ name }) => name))];
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
  const declared = exported.filter(({ node }) => node !== undefined);
  // The overloads of a function share the comment of the first.
  const isFirst = ({ name }, index) => declared.findIndex((other) => other.name === name) === index;
  return declared.filter(isFirst).filter(({ node }) => !isDocumented(node));
}
