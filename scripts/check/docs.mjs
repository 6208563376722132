// SPDX-License-Identifier: Apache-2.0

// Holds the documents to what there is: the targets of their links, and the flags of `pawl`.

import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { listFiles, readText } from "../source-files.mjs";
import { capture, nodePath, root } from "../workspace.mjs";

const commands = ["serve", "verify", "backup", "restore", "explain", "workers"];

/** Every link to a file of this repository leads to one, and to a heading that it has. */
export function checkLinks() {
  return listFiles()
    .filter((file) => file.endsWith(".md"))
    .flatMap((file) => listLinks(readText(file)).flatMap((link) => checkLink(file, link)));
}

function checkLink(file, { target, line }) {
  const [path, anchor] = target.split("#");
  const aim = path === "" ? file : normalize(join(dirname(file), path));
  if (!existsSync(join(root, aim))) return [`${file}:${line}: there is no ${aim}`];
  if (anchor === undefined || listAnchors(readText(aim)).has(anchor)) return [];
  return [`${file}:${line}: ${aim} has no heading for #${anchor}`];
}

/** A Markdown text with its code blocks emptied, so that lines keep their numbers. */
function withoutCode(markdown) {
  return markdown.replaceAll(/^```[\s\S]*?^```$/gm, (block) => block.replaceAll(/[^\n]/g, ""));
}

/** The links of a Markdown text that stay in the repository: [{ target, line }]. */
export function listLinks(markdown) {
  return withoutCode(markdown)
    .split("\n")
    .flatMap((text, index) =>
      [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => ({ target, line: index + 1 })),
    )
    .filter(({ target }) => !/^[a-z]+:/.test(target));
}

/** What the headings of a Markdown text can be linked by. */
export function listAnchors(markdown) {
  const headings = withoutCode(markdown).matchAll(/^#{1,6} (.*)$/gm);
  return new Set(
    [...headings].map(([, heading]) =>
      heading
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\- _]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** The pages name every flag and variable of `pawl`, and no flag or variable that it has not. */
export async function checkFlags() {
  const helps = await Promise.all(commands.map(readHelp));
  const help = helps.join("\n");
  const pages = listFiles().filter((file) => /^docs\/[\w-]+\.md$/.test(file));
  const known = new Set(help.match(names));
  const named = new Set(pages.flatMap((page) => readText(page).match(names) ?? []));
  return [
    ...[...known].filter((name) => !named.has(name)).map((name) => `docs/: ${name} is not named`),
    ...pages.flatMap((page) => unknownNames(page, known)),
  ];
}

const names = /(?<![\w-])--[a-z][a-z-]*[a-z]\b|\b(?:PAWL|DAPR|OTEL)_[A-Z_]*[A-Z]\b/g;

/** Variables of `pawl` that a page names, and flags after `pawl`, that the help does not have. */
function unknownNames(page, known) {
  return readText(page)
    .split("\n")
    .flatMap((line, index) => {
      const calls = line.match(/\bpawl (?:serve|verify|backup|restore|explain|workers) [^`#]*/g);
      const used = [
        ...(line.match(/\bPAWL_[A-Z_]*[A-Z]\b/g) ?? []),
        ...(calls ?? []).flatMap((call) => call.match(names) ?? []),
      ];
      return used
        .filter((name) => !known.has(name))
        .map((name) => `${page}:${index + 1}: pawl has no ${name}`);
    });
}

async function readHelp(command) {
  const program = join(root, "packages/server/bin/pawl.js");
  const { code, output } = await capture(nodePath(), [program, command, "--help"]);
  if (code !== 0) throw new Error(`pawl ${command} --help failed: ${output}`);
  return output;
}
