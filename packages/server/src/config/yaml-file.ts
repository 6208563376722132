// SPDX-License-Identifier: Apache-2.0

import { EngineError } from "@pawl/engine";
import { type Document, isNode, LineCounter, parseDocument } from "yaml";
import type * as z from "zod";

/** Problems of one file that are told at once; more would hide the first. */
const toldProblems = 5;

/**
 * Parses the YAML (or JSON) text of a configuration file and checks its shape.
 * @param file its name, as people know it
 * @throws INVALID_ARGUMENT with file, line and field of each problem, all in one line
 */
export function parseYamlFile<T>(file: string, text: string, schema: z.ZodType<T>): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw invalid(
      document.errors.map(
        ({ pos, message }) => `${file}:${lines.linePos(pos[0]).line}: ${message}`,
      ),
    );
  }
  const result = schema.safeParse(document.toJS());
  if (result.success) {
    return result.data;
  }
  throw invalid(
    result.error.issues.map(({ path, message }) => {
      const line = lineOf(document, lines, path);
      const field = path.length === 0 ? "" : `${fieldName(path)}: `;
      return `${file}:${line}: ${field}${message}`;
    }),
  );
}

function invalid(problems: readonly string[]): EngineError {
  const more = problems.length - toldProblems;
  const told = problems.slice(0, toldProblems).map((problem) => problem.replaceAll("\n", " "));
  return new EngineError(
    "INVALID_ARGUMENT",
    more > 0 ? `${told.join("; ")}; and ${more} more` : told.join("; "),
  );
}

/** The line of a field, or of the nearest thing around it when it is missing. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) {
      return lines.linePos(node.range[0]).line;
    }
  }
  return 1;
}

function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => {
      if (typeof key === "number") return `[${key}]`;
      return index === 0 ? String(key) : `.${String(key)}`;
    })
    .join("");
}
