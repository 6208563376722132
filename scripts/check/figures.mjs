// SPDX-License-Identifier: Apache-2.0

// Figures over the whole repository, packages, tests, benchmark, examples and scripts alike: how long
// files and functions are, what a file offers, how things are named. sizes.mjs has the limits of
// files and folders.

import { dirname, join } from "node:path";
import { isGenerated, listHandWritten, listSourceFiles, readText } from "../source-files.mjs";
import { listForeignFunctions } from "./foreign-functions.mjs";
import { measure } from "./measure.mjs";

/** Lines that the median file, nine files of ten and the median function have at most. */
const medianFileLines = 120;
const ninthFileLines = 300;
const medianFunctionLines = 14;
/** Lines of any function, those within it included. */
const functionLimitLines = 70;
/** Type assertions in a thousand lines, at most. */
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
  ["packages/engine/test/actions.ts", "every action that a turn may ask for, in short"],
  ["tests/chaos/src/simulation/workflow/actions.ts", "every action of a turn, in short"],
  ["tests/chaos/src/simulation/workflow/names.ts", "every name that the simulation uses"],
  ["tests/chaos/src/load/definitions.ts", "what server, worker and judge of a load agree on"],
  ["bench/src/workload/fixtures.ts", "what all systems run, so that they run the same"],
]);

const isTest = /\.(test|suite)\.ts$/;
/** As a file, as the end of its name, or as a folder. */
const vagueNames =
  /(^|[/.-])(utils?|helpers?|common|misc|types)(\.(test|suite))?\.\w+$|(^|\/)(utils?|helpers?|common|misc|types)\//;

function countLines(text) {
  return text.split("\n").length - 1;
}

function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
}

function above(what, figure, limit) {
  return figure <= limit ? [] : [`${what}: ${figure.toFixed(1)}; at most ${limit}`];
}

let measured;

/** The figures of every source file, made once. */
function measureSources() {
  measured ??= listSourceFiles().map((file) => ({ file, ...measure(file, readText(file)) }));
  return measured;
}

/** Files are short as a rule, not only below the limit. */
export function checkFileFigures() {
  const lines = listHandWritten().map((file) => countLines(readText(file)));
  return [
    ...above("the median file has lines", quantile(lines, 0.5), medianFileLines),
    ...above("one file in ten has lines, or more", quantile(lines, 0.9), ninthFileLines),
  ];
}

/** So are functions, and none is long. */
export function checkFunctionFigures() {
  const foreign = listHandWritten().map((file) => ({
    file,
    functions: listForeignFunctions(file, readText(file)),
  }));
  const all = [...measureSources(), ...foreign].flatMap(({ file, functions }) =>
    functions.map((figures) => ({ file, ...figures })),
  );
  const median = quantile(
    all.map(({ lines }) => lines),
    0.5,
  );
  return [
    ...all
      .filter(({ lines, describes }) => lines > functionLimitLines && !describes)
      .map(
        ({ file, line, lines }) =>
          `${file}:${line}: ${lines} lines; at most ${functionLimitLines}: split it`,
      ),
    ...above("the median function has lines", median, medianFunctionLines),
  ];
}

/** A file offers one thing, is named as it, and says by name what it hands on; generated code is handed on whole. */
export function checkOffers() {
  const vague = listHandWritten().filter((file) => vagueNames.test(file));
  const many = measureSources().filter(
    ({ file, offered }) =>
      offered.length > exportedValues && !file.endsWith("/index.ts") && !manyExports.has(file),
  );
  const all = measureSources().flatMap(({ file, exportsAll }) =>
    exportsAll
      .filter(({ specifier }) => !isGenerated(join(dirname(file), specifier)))
      .map(({ line }) => `${file}:${line}: export *: name what is exported, one by one`),
  );
  return [
    ...all,
    ...vague.map((file) => `${file}: name the subject`),
    ...many.map(
      ({ file, offered }) =>
        `${file}: exports ${offered.length} values; at most ${exportedValues}: split it`,
    ),
  ];
}

/** Every name that a module exports has a doc comment. */
export function checkDocComments() {
  return measureSources().flatMap(({ file, undocumented }) =>
    undocumented.map(({ line, name }) => `${file}:${line}: no doc comment: ${name}`),
  );
}

/** Casts are rare, also where no test thins them out. */
export function checkCasts() {
  const isProduct = ({ file }) => /^packages\/[^/]+\/src\//.test(file) && !isTest.test(file);
  return [
    ...castsAbove("casts in a thousand lines", measureSources()),
    ...castsAbove("casts in a thousand lines of the packages", measureSources().filter(isProduct)),
  ];
}

function castsAbove(what, files) {
  const lines = files.reduce((sum, { file }) => sum + countLines(readText(file)), 0);
  const casts = files.reduce((sum, file) => sum + file.casts, 0);
  const most = files.toSorted((a, b) => b.casts - a.casts).slice(0, 3);
  const names = most.map(({ file, casts }) => `${casts} in ${file}`).join(", ");
  return above(`${what} (${names})`, (casts / lines) * 1000, castsPerThousand);
}
