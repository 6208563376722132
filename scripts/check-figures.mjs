// SPDX-License-Identifier: Apache-2.0

// Figures over the whole repository: how long files and functions are, what a file offers, how
// things are named. Biome holds the longest function, check-sizes.mjs the longest file.

import { parseSync } from "oxc-parser";
import { listSourceFiles, readText, stripCommentsAndStrings } from "./source-files.mjs";

/** Lines that the median file, nine files of ten and the median function have at most. */
const medianFileLines = 120;
const ninthFileLines = 300;
const medianFunctionLines = 15;
/** Type assertions in a thousand lines of the packages' sources, at most. */
const castsPerThousand = 5;
/** Values that one module offers, at most; types come with them. */
const exportedValues = 8;

/** Files that offer more, each with its reason. */
const manyExports = new Map([
  ["packages/engine/src/store/key.ts", "every key layout of instances on one page"],
  [
    "packages/engine/src/store/store-key.ts",
    "every key layout of the store as a whole on one page",
  ],
  ["packages/engine/src/store/codec.ts", "every value layout on one page"],
  ["packages/engine/src/store/index/index-key.ts", "every layout of the indexes on one page"],
  ["packages/client/src/errors.ts", "the family of errors that callers meet"],
]);

const vagueNames = /(^|\/)(utils?|helpers?|common|misc|types)(\.test)?\.(ts|mjs)$/;

/** Sources of the published packages, without tests. */
function listPackageSources() {
  return listSourceFiles().filter(
    (file) => /^packages\/[a-z]+\/src\//.test(file) && !/\.(test|suite)\.ts$/.test(file),
  );
}

function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
}

/** Files are short as a rule, not only below the limit. */
export function checkFileFigures() {
  const lines = listSourceFiles().map((file) => readText(file).split("\n").length - 1);
  return [
    ...above("the median file", quantile(lines, 0.5), medianFileLines),
    ...above("one file in ten", quantile(lines, 0.9), ninthFileLines),
  ];
}

/** So are functions. */
export function checkFunctionFigures() {
  const lengths = listPackageSources().flatMap((file) => functionLengths(file, readText(file)));
  return above("the median function", quantile(lengths, 0.5), medianFunctionLines);
}

/** A file offers one thing, and is named as it. */
export function checkOffers() {
  const problems = listSourceFiles()
    .filter((file) => vagueNames.test(file))
    .map((file) => `${file}: name the subject`);
  for (const file of listPackageSources()) {
    if (file.endsWith("/index.ts") || manyExports.has(file)) continue;
    const values = readText(file).match(/^export (async )?(abstract )?(function|class|const) /gm);
    const count = values?.length ?? 0;
    if (count > exportedValues) {
      problems.push(`${file}: offers ${count} values; at most ${exportedValues}`);
    }
  }
  return problems;
}

/** Every name that a module of a package offers has a doc comment. */
export function checkDocComments() {
  const offered = /^export (async )?(abstract )?(function|class|const|interface|type) \w/;
  return listPackageSources().flatMap((file) => {
    const lines = readText(file).split("\n");
    const isDocumented = (index) => {
      let at = index - 1;
      while (/^\s*\/\/ biome-ignore/.test(lines[at] ?? "")) at -= 1;
      // The overloads of a function share its comment.
      return /\*\/\s*$|^export (async )?function |^\)/.test(lines[at] ?? "");
    };
    return lines
      .map((line, index) => ({ line, index }))
      .filter(({ line, index }) => offered.test(line) && !isDocumented(index))
      .map(({ line, index }) => `${file}:${index + 1}: no doc comment: ${line.slice(0, 60)}`);
  });
}

/** Casts are rare. */
export function checkCasts() {
  let casts = 0;
  let lines = 0;
  for (const file of listPackageSources()) {
    const text = readText(file);
    lines += text.split("\n").length;
    const code = stripCommentsAndStrings(text).replaceAll(/^(import|export) [^;]*;/gm, "");
    casts += code.match(/\bas (?!const\b)[\w{[(]/g)?.length ?? 0;
  }
  return above("casts in a thousand lines", (casts / lines) * 1000, castsPerThousand);
}

function above(what, figure, limit) {
  return figure <= limit ? [] : [`${what}: ${figure.toFixed(1)}; at most ${limit}`];
}

/** Lines of every function with a body in braces. */
function functionLengths(file, text) {
  const lengths = [];
  const { program } = parseSync(file, text);
  const visit = (node) => {
    if (Array.isArray(node)) {
      for (const item of node) visit(item);
      return;
    }
    if (node === null || typeof node !== "object" || typeof node.type !== "string") return;
    const isFunction = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/;
    if (isFunction.test(node.type) && node.body?.type === "BlockStatement") {
      lengths.push(text.slice(node.start, node.end).split("\n").length);
    }
    for (const [key, value] of Object.entries(node)) if (key !== "parent") visit(value);
  };
  visit(program);
  return lengths;
}
