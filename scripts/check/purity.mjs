// SPDX-License-Identifier: Apache-2.0

// Holds the engine's core to purity: the same arguments, the same result, and nothing else. What is
// allowed is listed, not what is forbidden, since nobody can list every clock.

import { listSourceFiles, readText } from "../source-files.mjs";
import { lineFinder, parse, walk } from "../syntax.mjs";

/** The core, and what it may import of the rest of the engine. */
const isPureSource = /^packages\/engine\/src\/(core\/.*|port\/.*|errors)\.ts$/;
/** What the core calls of the protocol is as pure, but for buffers that its encoders keep. */
const isProtocol = /^packages\/protocol\/src\/(?!alarm\.ts$)/;
const isTest = /\.(test|suite)\.ts$/;

/** The globals that the core may use. */
const pureGlobals = new Set([
  ...["Array", "BigInt", "Boolean", "Buffer", "Map", "Math", "Number", "Object", "Set", "String"],
  ...["ArrayBuffer", "Symbol", "TextEncoder", "Uint8Array"],
  ...["Error", "RangeError", "TypeError"],
  ...["Infinity", "NaN", "undefined"],
]);

/** What the allowed packages have that is not pure. */
const impureImports = new Set(["timestampNow", "setAlarm"]);

/** Members that depend on chance, on the machine's settings, on a promise, or lead to any code. */
const impureMembers =
  /^(random|allocUnsafe(Slow)?|localeCompare|toLocale\w*|then|catch|finally|fromAsync|constructor|__proto__)$/;

/** Problems of the files that must be pure. */
export function checkCorePurity() {
  const sources = listSourceFiles().filter((file) => !isTest.test(file));
  return [
    ...sources.filter((file) => isPureSource.test(file)).flatMap((file) => findIn(file, true)),
    ...sources.filter((file) => isProtocol.test(file)).flatMap((file) => findIn(file, false)),
  ];
}

function findIn(file, isCore) {
  return findImpurities(file, readText(file), isCore);
}

/** What is not pure in the text of one file, a line each; what is not the core may keep state. */
export function findImpurities(file, text, isCore = true) {
  const { program } = parse(file, text);
  const lineOf = lineFinder(text);
  const declared = declaredNames(program);
  const kept = isCore ? stateOf(program, text) : [];
  const problems = kept.map((node) => ({ node, what: "state of its own" }));
  walk(program, (node, parent, key) => {
    if (isType(node)) return false;
    const what = impurityOf(node, parent, key, declared);
    const isBuffer = !isCore && /^allocUnsafe/.test(what);
    if (what !== undefined && !isBuffer) problems.push({ node, what });
    return true;
  });
  return problems.map(({ node, what }) => `${file}:${lineOf(node.start)}: must not use ${what}`);
}

function impurityOf(node, parent, key, declared) {
  if (node.type === "AwaitExpression" || node.async === true || node.await === true) {
    return "promises";
  }
  if (node.type === "ImportExpression" || node.type === "MetaProperty") return node.type;
  if (node.type === "ExportAllDeclaration" && !/\/gen\//.test(node.source.value)) {
    return "export *: its names cannot be seen";
  }
  if (node.type === "ImportNamespaceSpecifier") return "import *: its names cannot be seen";
  if (node.type === "ImportSpecifier" && impureImports.has(node.imported.name)) {
    return node.imported.name;
  }
  if (node.type === "MemberExpression") {
    const name = node.computed ? node.property.value : node.property.name;
    if (impureMembers.test(name)) return name;
    if (!node.computed) return undefined;
    return isGlobal(node.object, declared) ? "a computed member of a global" : undefined;
  }
  if (node.type !== "Identifier" || isOnlyName(parent, key) || declared.has(node.name))
    return undefined;
  if (!pureGlobals.has(node.name)) return node.name;
  // Members are looked at one by one, so a global may not be taken apart or handed on.
  const isBare = /^(Math|Object|Symbol)$/.test(node.name);
  return isBare && parent.type !== "MemberExpression" ? `${node.name} as a whole` : undefined;
}

function isGlobal(node, declared) {
  return node.type === "Identifier" && !declared.has(node.name);
}

/** True for what stands in the text for types alone. */
function isType(node) {
  if (node.type === "ImportDeclaration" && node.importKind === "type") return true;
  const hasCode = /^TS(As|Satisfies|TypeAssertion|NonNull|Instantiation)/;
  return node.type.startsWith("TS") && !hasCode.test(node.type);
}

/** True where an identifier is the name of a member, label or export, and not a value. */
function isOnlyName(parent, key) {
  if (parent.type === "MemberExpression") return key === "property" && !parent.computed;
  if (/^(Property|MethodDefinition|PropertyDefinition)$/.test(parent.type)) {
    return key === "key" && !parent.computed && parent.shorthand !== true;
  }
  return /^(Export|Import|Labeled|Break|Continue)/.test(parent.type);
}

/** Every name that a file gives to something, wherever. */
function declaredNames(program) {
  const names = new Set();
  const add = (node) =>
    walk(node, (inner, parent, key) => {
      // The default of a parameter, and the key of what is taken apart, declare nothing.
      if (parent?.type === "AssignmentPattern" && key === "right") return false;
      if (parent?.type === "Property" && key === "key") return false;
      if (inner.type === "Identifier") names.add(inner.name);
      return !isType(inner);
    });
  walk(program, (node) => {
    if (/^Import(Default|Namespace)?Specifier$/.test(node.type)) names.add(node.local.name);
    if (node.type === "VariableDeclarator") add(node.id);
    if (/Function|^ClassDeclaration$/.test(node.type) && node.id) add(node.id);
    if (/Function/.test(node.type) && node.params) add(node.params);
    if (node.type === "CatchClause" && node.param) add(node.param);
    return true;
  });
  return names;
}

/** What of a module would keep something from one call to the next. */
function stateOf(program, text) {
  const declarations = program.body
    .map((node) => node.declaration ?? node)
    .filter(({ type }) => type === "VariableDeclaration");
  const names = declarations.flatMap(({ declarations }) => declarations.map(({ id }) => id.name));
  const state = declarations.filter(
    ({ kind, declarations }) =>
      kind !== "const" || declarations.some((declarator) => canChange(declarator, text)),
  );
  walk(program, (node) => {
    const isStatic = node.type === "PropertyDefinition" && node.static && !node.readonly;
    const target = node.type === "UpdateExpression" ? node.argument : node.left;
    const isChange = /^(Update|Assignment)Expression$/.test(node.type);
    if (isStatic || (isChange && names.includes(rootOf(target)))) state.push(node);
    return true;
  });
  return state;
}

/** The name that a chain of members begins with; undefined for a name alone, which is no member. */
function rootOf(target) {
  if (target.type !== "MemberExpression") return undefined;
  const { object } = target;
  return object.type === "Identifier" ? object.name : rootOf(object);
}

/** True for a collection, or an empty literal, whose type does not say that it stays as it is. */
function canChange({ id, init }, text) {
  const size = init?.elements?.length ?? init?.properties?.length;
  if (init?.type !== "NewExpression" && size !== 0) return false;
  return !/: [Rr]eadonly/.test(text.slice(id.start, id.end));
}
