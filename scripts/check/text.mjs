// SPDX-License-Identifier: Apache-2.0

// Checks on the text of files: licence lines, and what belongs to one machine only.

import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { isGenerated, listFiles, readText } from "../source-files.mjs";
import { root } from "../workspace.mjs";

const licenceLine = "SPDX-License-Identifier: Apache-2.0";
const isBinary = /\.(binpb|png|ico|woff2?|gz|zip)$/;
const isSource = /\.(ts|mjs|py|go|java|sh)$/;
/** Protos that came from elsewhere keep the header that they came with. */
const isOurProto = /^proto\/pawl\/.*\.proto$/;

/** Every hand-written source file says its licence in its first lines. */
export function checkLicenceLines() {
  return listFiles()
    .filter((file) => isSource.test(file) || isOurProto.test(file) || file === ".ci/run")
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
        problems.push(`${file}:${index + 1}: names a folder of one machine`);
      }
    }
  }
  return problems;
}

/** The lock file and npm's settings name no registry. */
export function checkRegistryHosts() {
  const problems = [];
  for (const file of listFiles().filter((name) => /(^|\/)(pnpm-lock\.yaml|\.npmrc)$/.test(name))) {
    for (const [index, line] of readText(file).split("\n").entries()) {
      if (/\b(tarball|registry):|registry\s*=/.test(line)) {
        problems.push(`${file}:${index + 1}: names a registry: ${line.trim()}`);
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
  return [
    ...wanted.filter((heading) => sections.filter((found) => found === heading).length !== 1),
    ...sections.filter((heading) => !wanted.includes(heading)),
  ].map((heading) => `docs/errors.md: ${heading.trim().replace("\n", ", ")}`);
}
