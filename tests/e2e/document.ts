// SPDX-License-Identifier: Apache-2.0

/** A code block of a Markdown document. */
export interface CodeBlock {
  /** What stands after the fence, for instance "bash". */
  readonly language: string;
  readonly text: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  /** What the block is expected to print, when the document shows it. */
  readonly prints?: string;
  /** Why CI does not run it, when the document says so. */
  readonly notRun?: string;
}

interface RawBlock {
  readonly language: string;
  readonly text: string;
  readonly line: number;
  readonly comment: string;
}

/**
 * The code blocks of a Markdown text. A comment on the line before a block says how CI takes it:
 * `<!-- not run: REASON -->`, or `<!-- prints -->` for what the block before it prints.
 */
export function parseDocument(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  for (const { comment, ...block } of parseBlocks(markdown)) {
    const last = blocks.at(-1);
    if (comment === "prints") {
      if (last === undefined) throw new Error(`line ${block.line}: nothing prints this`);
      blocks.splice(-1, 1, { ...last, prints: block.text });
    } else if (comment.startsWith("not run: ")) {
      blocks.push({ ...block, notRun: comment.slice("not run: ".length) });
    } else {
      blocks.push(block);
    }
  }
  return blocks;
}

function parseBlocks(markdown: string): RawBlock[] {
  const blocks: RawBlock[] = [];
  const lines = markdown.split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const language = /^```(\w+)$/.exec(lines[at] ?? "")?.[1];
    if (language === undefined) continue;
    const end = lines.indexOf("```", at + 1);
    if (end < 0) throw new Error(`line ${at + 1}: the block does not end`);
    const comment = /^<!-- (.+) -->$/.exec(lines[at - 1] ?? "")?.[1] ?? "";
    blocks.push({ language, text: lines.slice(at + 1, end).join("\n"), line: at + 1, comment });
    at = end;
  }
  return blocks;
}

/**
 * Whether a program printed what a document shows. JSON is compared as JSON: what is shown must be
 * there, more may be. Other text: the lines shown must be there in that order. "…" is anything.
 */
export function matchesOutput(actual: string, shown: string): boolean {
  const shownJson = parseJson(shown);
  if (shownJson !== undefined) return matchesJson(parseJson(actual), shownJson);
  const lines = actual.split("\n");
  return shown.split("\n").every((wanted) => {
    const pattern = new RegExp(`^${wanted.split("…").map(escapePattern).join(".*")}$`);
    const at = lines.findIndex((line) => pattern.test(line.trimEnd()));
    return at >= 0 && lines.splice(0, at + 1).length > 0;
  });
}

function matchesJson(actual: unknown, shown: unknown): boolean {
  if (shown === "…") return actual !== undefined;
  if (typeof shown !== "object" || shown === null) return actual === shown;
  if (typeof actual !== "object" || actual === null) return false;
  const entries = new Map(Object.entries(actual));
  return Object.entries(shown).every(([key, value]) => matchesJson(entries.get(key), value));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
