// SPDX-License-Identifier: Apache-2.0

// Checks on the text of files: licence lines, and what belongs to one machine only.

import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { isGenerated, listFiles, listHandWritten, readText } from "../source-files.mjs";
import { root } from "../workspace.mjs";

const npmRegistry = /\b(tarball|registry|registries|resolved)["']?:|registry\s*=/;
const licenceLine = "SPDX-License-Identifier: Apache-2.0";
const isBinary = /\.(binpb|png|ico|woff2?|gz|zip)$/;
/** Protos that came from elsewhere keep the header that they came with. */
const isOurProto = /^proto\/pawl\/.*\.proto$/;

/** Every hand-written source file says its licence in its first lines. */
export function checkLicenceLines() {
  return [...listHandWritten(), ...listFiles().filter((file) => isOurProto.test(file))]
    .filter((file) => !readText(file).split("\n", 2).join("\n").includes(licenceLine))
    .map((file) => `${file}: the first line must hold "${licenceLine}"`);
}

/** No file names a folder of the machine that it was written on. */
export function checkMachinePaths() {
  const home = /(^|[^\w.~-])(\/home\/[a-z][\w-]*\/|\/Users\/[A-Za-z][\w-]*\/|\/root\/)/;
  const here = [root, homedir()].filter((path) => path.split("/").length > 2);
  const problems = [];
  for (const file of listFiles()) {
    if (isBinary.test(file) || isGenerated(file)) continue;
    for (const [index, line] of readText(file).split("\n").entries()) {
      if (here.some((path) => line.includes(path)) || home.test(line)) {
        problems.push(`${file}:${index + 1}: names a folder of one machine; take it out`);
      }
    }
  }
  return problems;
}

/** What names a registry, by the files of the package managers that would go there. */
const registries = [
  [
    /(^|\/)(pnpm-lock\.yaml|package-lock\.json|pnpm-workspace\.yaml|package\.json|\.npmrc)$/,
    npmRegistry,
  ],
  [/(^|\/)(requirements\.txt|pip\.conf)$/, /^\s*(-i|--(extra-)?index-url|(extra-)?index-url)\b/],
  [/(^|\/)(pom|settings)\.xml$/, /<(repository|pluginRepository|mirror)>/],
];

/** Files of package managers name no registry: each machine has its own. */
export function checkRegistryHosts() {
  const problems = [];
  for (const file of listFiles()) {
    const [, pattern] = registries.find(([files]) => files.test(file)) ?? [];
    if (pattern === undefined) continue;
    for (const [index, line] of readText(file).split("\n").entries()) {
      if (pattern.test(line)) {
        problems.push(`${file}:${index + 1}: names a registry; take it out: ${line.trim()}`);
      }
    }
  }
  return problems;
}

/** docs/errors.md has exactly one section for each error code, with the statuses of the server. */
export async function checkErrorDocs() {
  const { errorMap } = await import(join(root, "packages/server/dist/error-map.js"));
  const { Code } = createRequire(join(root, "packages/server/package.json"))("@connectrpc/connect");
  const wanted = Object.entries(errorMap).map(([code, { connect, http }]) => {
    const name = Code[connect].replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`);
    return `### \`${code}\`\n\`${name.toLowerCase()}\` · HTTP ${http}\n`;
  });
  const text = readText("docs/errors.md");
  const sections = text.match(/^### [^\n]*\n[^\n]*\n/gm) ?? [];
  const inOneLine = (heading) => heading.trim().replace("\n", ", ");
  return [
    ...wanted
      .filter((heading) => sections.filter((found) => found === heading).length !== 1)
      .map((heading) => `docs/errors.md: there must be one section "${inOneLine(heading)}"`),
    ...sections
      .filter((heading) => !wanted.includes(heading))
      .map((heading) => `docs/errors.md: the server has no "${inOneLine(heading)}"`),
  ];
}
