// SPDX-License-Identifier: Apache-2.0

import { DaprError } from "../../dapr/error.js";

/** The request header whose pairs become an instance's tags. It may be given several times. */
export const tagsHeader = "dapr-workflow-metadata";

const separators = /[;,\s]*/y;
const key = /[^=;,"\s]+/y;
const equals = /[ \t]*=[ \t]*/y;
const quoted = /"((?:[^"\\]|\\.)*)"[ \t]*/y;
const bare = /[^;,"]*/y;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The tags of all `dapr-workflow-metadata` headers among raw headers (name, value, name, …): lists
 * of `key=value` with `;` or `,` between them. A value may be quoted, with `\` before `"` and `\`.
 * `%XX` is an escaped byte everywhere; bytes are UTF-8.
 * @throws ERR_WORKFLOW_METADATA_INVALID for anything else, and for a key that comes twice
 */
export function parseTags(rawHeaders: readonly string[]): Record<string, string> {
  const tags = new Map<string, string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === tagsHeader) {
      parseList(decodeHeader(rawHeaders[at + 1] ?? ""), tags);
    }
  }
  return Object.fromEntries(tags);
}

function parseList(text: string, tags: Map<string, string>): void {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text) ?? undefined;
    at += found?.[0].length ?? 0;
    return found;
  };
  for (take(separators); at < text.length; take(separators)) {
    const name = take(key)?.[0];
    if (name === undefined) {
      throw invalid(`a key is expected at "${text.slice(at)}"`);
    }
    if (take(equals) === undefined) {
      throw invalid(`"${name}" has no value; write key=value`);
    }
    const value = take(quoted)?.[1]?.replaceAll(/\\(.)/g, "$1") ?? take(bare)?.[0].trim() ?? "";
    if (at < text.length && text[at] !== ";" && text[at] !== ",") {
      throw invalid(`the value of "${name}" has a quotation mark out of place`);
    }
    addTag(tags, decodeEscapes(name, name), decodeEscapes(value, name));
  }
}

function addTag(tags: Map<string, string>, name: string, value: string): void {
  if (tags.has(name)) {
    throw invalid(`"${name}" is given twice`);
  }
  tags.set(name, value);
}

function decodeEscapes(text: string, name: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(`"${name}" has a bad escape; write "%" as "%25"`);
  }
}

/** Node shows a header's bytes as Latin-1. */
function decodeHeader(value: string): string {
  try {
    return utf8.decode(Buffer.from(value, "latin1"));
  } catch {
    throw invalid("it is not valid UTF-8 text");
  }
}

function invalid(cause: string): DaprError {
  return DaprError.of(
    "ERR_WORKFLOW_METADATA_INVALID",
    `the header ${tagsHeader} cannot be read: ${cause}`,
  );
}
