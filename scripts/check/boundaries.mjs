// SPDX-License-Identifier: Apache-2.0

// Holds the arrows between packages, and those inside the engine.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative, sep } from "node:path";
import { listSourceFiles, readText } from "../source-files.mjs";
import { root } from "../workspace.mjs";
import { listImports } from "./imports.mjs";

/** What each package may import of its sisters. */
const packageArrows = {
  protocol: [],
  engine: ["protocol"],
  client: ["protocol"],
  server: ["engine", "protocol"],
  testkit: ["engine", "client", "server", "protocol"],
};

/**
 * What each part of the engine may import of the engine; undefined: everything. A part is a folder or
 * a file of src.
 */
const engineArrows = {
  "engine.ts": undefined,
  "index.ts": undefined,
  "open-engine.ts": undefined,
  "backup-folder.ts": undefined,
  "verify-folder.ts": undefined,
  "validate.ts": ["errors.ts", "core", "port"],
  testing: undefined,
  "errors.ts": [],
  port: ["errors.ts"],
  core: ["errors.ts", "port"],
  store: ["errors.ts", "core", "port"],
  runtime: ["errors.ts", "core", "port", "store", "options.ts"],
  "options.ts": ["errors.ts", "port", "runtime", "store"],
};

/** The parts that are pure, and the only packages that they may import: the messages, and what makes them. */
const pureParts = ["core", "port", "errors.ts"];
const purePackages = [
  "@pawl/protocol",
  "@pawl/protocol/port",
  "@bufbuild/protobuf",
  "@bufbuild/protobuf/wkt",
];

const isTest = (file) => /\.(test|property\.test|suite)\.ts$/.test(file);

/** Packages import each other along the arrows, and only through their exports. */
export function checkPackageArrows() {
  const problems = [];
  for (const file of listSourceFiles()) {
    const folder = packageFolder(file);
    if (folder === undefined) continue;
    for (const { specifier, line } of listImports(file, readText(file))) {
      if (specifier === undefined) continue;
      const problem = specifier.startsWith(".")
        ? checkRelative(file, folder, specifier)
        : checkSister(file, specifier);
      if (problem !== undefined) problems.push(`${file}:${line}: ${problem}`);
    }
  }
  return problems;
}

/** The folder of the package that a file belongs to. */
function packageFolder(file) {
  let folder = dirname(file);
  while (folder !== "." && !existsSync(join(root, folder, "package.json"))) {
    folder = dirname(folder);
  }
  return folder === "." ? undefined : folder;
}

function checkRelative(file, folder, specifier) {
  const target = normalize(join(dirname(file), specifier));
  if (relative(folder, target).startsWith(`..${sep}`) && !target.startsWith(`scripts${sep}`)) {
    return `"${specifier}" leaves the package ${folder}; import the other package by its name`;
  }
  return undefined;
}

function checkSister(file, specifier) {
  const match = /^@pawl\/([^/]+)(\/.*)?$/.exec(specifier);
  if (match === null) return undefined;
  const [, sister, path] = match;
  const manifest = join(root, "packages", sister, "package.json");
  if (existsSync(manifest)) {
    const { exports } = JSON.parse(readFileSync(manifest, "utf8"));
    if (!Object.hasOwn(exports, path === undefined ? "." : `.${path}`)) {
      return `"${specifier}" is not among the exports of @pawl/${sister}`;
    }
  }
  const own = /^packages\/([^/]+)\//.exec(file)?.[1];
  if (own === undefined || own === sister || packageArrows[own]?.includes(sister)) return undefined;
  return `packages/${own} must not import @pawl/${sister}`;
}

/** The engine's parts import each other in one direction. */
export function checkEngineArrows() {
  const problems = [];
  const source = "packages/engine/src/";
  for (const file of listSourceFiles().filter((name) => name.startsWith(source))) {
    const part = partOf(file, source);
    if (!Object.hasOwn(engineArrows, part)) {
      problems.push(`${file}: say in scripts/check/boundaries.mjs what ${part} may import`);
      continue;
    }
    const allowed = engineArrows[part];
    if (allowed === undefined || isTest(file)) continue;
    for (const { specifier, line } of listImports(file, readText(file))) {
      if (!specifier?.startsWith(".")) {
        if (pureParts.includes(part) && !purePackages.includes(specifier)) {
          problems.push(`${file}:${line}: ${part} must not import "${specifier}"`);
        }
        continue;
      }
      const target = normalize(join(dirname(file), specifier)).replace(/\.js$/, ".ts");
      const other = partOf(target.replaceAll(sep, "/"), source);
      if (other !== part && !allowed.includes(other)) {
        problems.push(`${file}:${line}: ${part} must not import ${other}`);
      }
    }
  }
  return problems;
}

function partOf(file, source) {
  return file.slice(source.length).split("/")[0];
}
