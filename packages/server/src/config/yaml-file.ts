// SPDX-License-Identifier: Apache-2.0

import { EngineError } from "@pawl/engine";
import { type Document, isNode, LineCounter, parseAllDocuments, parseDocument } from "yaml";
import type * as z from "zod";

/** Problems that are told at once; more would hide the first. */
const toldProblems = 5;

/** One document of a YAML file, and where its parts stand. */
export class YamlDocument {
  readonly file: string;
  readonly value: unknown;
  readonly #document: Document;
  readonly #lines: LineCounter;

  /** @throws INVALID_ARGUMENT when it has aliases that lead nowhere, or too many */
  constructor(file: string, document: Document, lines: LineCounter) {
    this.file = file;
    this.#document = document;
    this.#lines = lines;
    try {
      this.value = document.toJS();
    } catch (error) {
      throw invalidFile([this.problem([], error instanceof Error ? error.message : "not YAML")]);
    }
  }

  /** The file and the line of a field, or of the nearest thing around it when it is missing. */
  place(path: readonly PropertyKey[]): string {
    for (let depth = path.length; depth >= 0; depth -= 1) {
      const node = this.#document.getIn(path.slice(0, depth), true);
      if (isNode(node) && node.range) {
        return `${this.file}:${this.#lines.linePos(node.range[0]).line}`;
      }
    }
    return `${this.file}:1`;
  }

  /** What is wrong with a field, with its file, line and name. */
  problem(path: readonly PropertyKey[], message: string): string {
    const field = path.length === 0 ? "" : `${fieldName(path)}: `;
    return `${this.place(path)}: ${field}${message}`;
  }

  /** @throws INVALID_ARGUMENT with file, line and field of each problem, all in one line */
  check<T>(schema: z.ZodType<T>): T {
    return this.#check(schema, this.value);
  }

  /**
   * Checks it against a schema of strict objects; fields that those do not know are left out.
   * @throws INVALID_ARGUMENT with file, line and field of each problem, all in one line
   */
  checkKnown<T>(schema: z.ZodType<T>): { readonly data: T; readonly unknown: PropertyKey[][] } {
    const issues = schema.safeParse(this.value).error?.issues ?? [];
    const unknown = issues.flatMap((issue) =>
      issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key]) : [],
    );
    const known = structuredClone(this.value);
    for (const path of unknown) removeAt(known, path);
    return { data: this.#check(schema, known), unknown };
  }

  #check<T>(schema: z.ZodType<T>, value: unknown): T {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    throw invalidFile(result.error.issues.map(({ path, message }) => this.problem(path, message)));
  }
}

/**
 * Parses the YAML (or JSON) text of a configuration file and checks its shape.
 * @param file its name, as people know it
 * @throws INVALID_ARGUMENT with file, line and field of each problem, all in one line
 */
export function parseYamlFile<T>(file: string, text: string, schema: z.ZodType<T>): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  requireGood(file, [document], lines);
  return new YamlDocument(file, document, lines).check(schema);
}

/**
 * Parses a file of several YAML documents; those without content are left out.
 * @throws INVALID_ARGUMENT with file and line of each problem, all in one line
 */
export function parseYamlDocuments(file: string, text: string): YamlDocument[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  const documents = "empty" in parsed ? [] : parsed;
  requireGood(file, documents, lines);
  return documents
    .map((document) => new YamlDocument(file, document, lines))
    .filter(({ value }) => value !== null && value !== undefined);
}

/** What is wrong with files, all in one line. */
export function invalidFile(problems: readonly string[]): EngineError {
  const more = problems.length - toldProblems;
  const told = problems.slice(0, toldProblems).map((problem) => problem.replaceAll("\n", " "));
  return new EngineError(
    "INVALID_ARGUMENT",
    more > 0 ? `${told.join("; ")}; and ${more} more` : told.join("; "),
  );
}

function requireGood(file: string, documents: readonly Document[], lines: LineCounter): void {
  const errors = documents.flatMap((document) => document.errors);
  if (errors.length === 0) return;
  throw invalidFile(
    errors.map(({ pos, message }) => `${file}:${lines.linePos(pos[0]).line}: ${message}`),
  );
}

function removeAt(value: unknown, path: readonly PropertyKey[]): void {
  let parent: unknown = value;
  for (const key of path.slice(0, -1)) parent = Object(parent)[key];
  delete Object(parent)[path.at(-1) ?? ""];
}

function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => {
      if (typeof key === "number") return `[${key}]`;
      return index === 0 ? String(key) : `.${String(key)}`;
    })
    .join("");
}
