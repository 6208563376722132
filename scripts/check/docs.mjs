// SPDX-License-Identifier: Apache-2.0

// Holds the documents to what there is: the targets of their links, and the flags of `pawl`.

import { dirname, join, normalize } from "node:path";
import { isGenerated, listFiles, readText } from "../source-files.mjs";
import { capture, nodePath, root } from "../workspace.mjs";

/** Every link to a file of this repository leads to one, and to a heading that it has. */
export function checkLinks() {
  const files = listFiles();
  const known = new Set(files.flatMap((file) => [file, ...foldersOf(file)]));
  return files
    .filter((file) => file.endsWith(".md"))
    .flatMap((file) => listLinks(readText(file)).flatMap((link) => checkLink(file, link, known)));
}

function foldersOf(file) {
  const folder = dirname(file);
  return folder === "." ? [folder] : [folder, ...foldersOf(folder)];
}

function checkLink(file, { target, line }, known) {
  const [path, anchor] = target.split("#");
  const aim = path === "" ? file : normalize(join(dirname(file), path)).replace(/\/$/, "");
  const isThere = known.has(aim) || isGenerated(`${aim}/`);
  if (!isThere) return [`${file}:${line}: ${aim} is not in the repository`];
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
      [...text.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)].map(([, target]) => ({
        target,
        line: index + 1,
      })),
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
  const summary = await readHelp();
  const commands = [...summary.matchAll(/^ {2}([a-z]+) .*[<[]/gm)].map(([, command]) => command);
  const helps = await Promise.all(commands.filter((name) => name !== "help").map(readHelp));
  const known = new Set([summary, ...helps].join("\n").match(names));
  const pages = listFiles().filter((file) => describesPawl.test(file));
  const texts = pages.map((page) => ({ page, text: readText(page) }));
  const prose = texts.filter(({ page }) => page.startsWith("docs/"));
  const named = new Set(prose.flatMap(({ text }) => withoutCode(text).match(names) ?? []));
  return [
    ...[...known]
      .filter((name) => !named.has(name))
      .map((name) => `docs/: no page says what ${name} is`),
    ...texts.flatMap(({ page, text }) =>
      listPawlNames(text)
        .filter(({ name }) => !known.has(name))
        .map(({ name, line }) => `${page}:${line}: pawl has no ${name}`),
    ),
  ];
}

const names = /(?<![\w-])--[a-z][a-z-]*[a-z]\b|\b(?:PAWL|DAPR|OTEL)_[A-Z_]*[A-Z]\b/g;

/** The pages for who uses Pawl; those for who changes it name variables of tests, too. */
const describesPawl = /^(README|docs\/.*|packages\/\w+\/README|\.changeset\/.*)\.md$/;

/** The variables of `pawl` that a Markdown text names, and its flags after `pawl`: [{ name, line }]. */
export function listPawlNames(markdown) {
  return markdown.split("\n").flatMap((text, index, lines) => {
    let command = text;
    for (let at = index; lines[at].endsWith("\\") && at + 1 < lines.length; at += 1) {
      command += lines[at + 1];
    }
    const calls = command.match(/\bpawl (?:[a-z]+ |--)[^`#]*/g) ?? [];
    const used = [
      ...(text.match(/\bPAWL_[A-Z_]*[A-Z]\b/g) ?? []),
      ...calls.flatMap((call) => call.match(names)?.filter((name) => name.startsWith("--")) ?? []),
    ];
    return used.map((name) => ({ name, line: index + 1 }));
  });
}

async function readHelp(...command) {
  const program = join(root, "packages/server/bin/pawl.js");
  const { code, output } = await capture(nodePath(), [program, command[0] ?? "--help", "--help"]);
  if (code !== 0) throw new Error(`pawl ${command[0] ?? ""} --help failed: ${output}`);
  return output;
}
