// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";

// JSON that only passes through stays as it was written: a 64-bit id would lose its last digits on the way through a
// JavaScript number, and values that nobody looks at would take time and memory.

/** Levels of lists and objects that readers in every language take; Python's take a thousand. */
const levelLimit = 900;

const [quote, backslash, colon, comma] = [0x22, 0x5c, 0x3a, 0x2c];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * The JSON text of a member of an object, as it was written; undefined when it has none.
 * @param text the object's JSON: of another text the answer means nothing
 */
export function memberText(text: string, name: string): string | undefined {
  let found: string | undefined;
  let key: string | undefined;
  let valueAt = 0;
  scan(text, (code, at, level, end) => {
    if (level !== 1) return;
    if (code === quote) {
      key ??= JSON.parse(text.slice(at, end));
    } else if (code === colon) {
      valueAt = end;
    } else if (code === comma || code === closeBrace) {
      // The last of several is the one that counts, as for `JSON.parse`.
      if (key === name) found = text.slice(valueAt, at).trim();
      key = undefined;
    }
  });
  return found;
}

/** A JSON text within an answer; see `toJsonText`. */
class ExactJson {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toJSON(): string {
    marked.push(this.#text);
    return mark;
  }
}

/** What `toJSON` says in place of a text. Nobody can know it, and so have an answer say it of his own. */
const mark = randomUUID();
/** The texts whose places are marked in the answer that is being written. */
let marked: string[] = [];

/** What shows a JSON text in an answer; text that is none, or has too many levels for its readers, is shown as text. */
export function exactly(text: string): ExactJson | string {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  let most = 0;
  scan(text, (_code, _at, level) => {
    most = Math.max(most, level);
  });
  // Ends of lines are no part of a text in JSON, but would end one of an event stream.
  return most > levelLimit ? text : new ExactJson(text.replace(/[\r\n]+/g, ""));
}

/** The JSON text of an answer, in which what is shown `exactly` stands as it was written. */
export function toJsonText(answer: unknown): string {
  marked = [];
  const [first = "", ...pieces] = JSON.stringify(answer).split(`"${mark}"`);
  return pieces.reduce((text, piece, index) => `${text}${marked[index]}${piece}`, first);
}

/**
 * Goes over the punctuation of a JSON text and the beginnings of its strings.
 * @param visit told of a character, where it is, the level that it is in, opens or closes, and where it ends
 */
function scan(
  text: string,
  visit: (code: number, at: number, level: number, end: number) => void,
): void {
  let level = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      const end = endOfString(text, at);
      visit(code, at, level, end);
      at = end - 1;
    } else if (code === openBrace || code === openBracket) {
      level += 1;
      visit(code, at, level, at + 1);
    } else if (code === closeBrace || code === closeBracket) {
      visit(code, at, level, at + 1);
      level -= 1;
    } else if (code === colon || code === comma) {
      visit(code, at, level, at + 1);
    }
  }
}

function endOfString(text: string, from: number): number {
  let at = from + 1;
  // What is escaped ends no string.
  while (at < text.length && text.charCodeAt(at) !== quote) {
    at += text.charCodeAt(at) === backslash ? 2 : 1;
  }
  return at + 1;
}
