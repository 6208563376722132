// SPDX-License-Identifier: Apache-2.0

// What a module imports.

import { lineFinder, parseModule, walk } from "../syntax.mjs";

/**
 * What a file imports, in its order: [{ specifier, line }]; re-exports, types and dynamic imports too.
 * The specifier of a dynamic import is undefined when it is made as the program runs.
 */
export function listImports(file, text) {
  const { statements, tree } = parseModule(file, text);
  const lineOf = lineFinder(text);
  const imports = statements.map(({ specifier, start }) => ({ specifier, start }));
  // Most files import by statements alone; the tree of the others costs more.
  if (/\b(import|require)\s*\(/.test(text)) {
    walk(tree(), (node) => {
      const source = sourceOf(node);
      if (source) imports.push({ specifier: textOf(source), start: node.start });
      return true;
    });
  }
  imports.sort((a, b) => a.start - b.start);
  return imports.map(({ specifier, start }) => ({ specifier, line: lineOf(start) }));
}

/** The node that says where from, of an expression or a type that imports. */
function sourceOf(node) {
  if (/^(ImportExpression|TSImportType)$/.test(node.type)) return node.source;
  const isRequire = node.type === "CallExpression" && node.callee.name === "require";
  return isRequire ? node.arguments[0] : undefined;
}

function textOf(source) {
  if (source.type === "Literal") return source.value;
  const isPlain = source.type === "TemplateLiteral" && source.expressions.length === 0;
  return isPlain ? source.quasis[0].value.cooked : undefined;
}
