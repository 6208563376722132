// SPDX-License-Identifier: Apache-2.0

// The functions of other languages, found by how their formatters indent them.

/** By the ending of a file: how a function begins, with its indentation, and the line that ends it. */
const languages = {
  go: { begin: /^()func .*\{$/, end: "}" },
  java: {
    begin:
      /^(\s+)(?!(?:if|for|while|switch|try|else|do|return|new|class|record|enum)\b)\w[^;={]*\).*\{$/,
    end: "}",
  },
  // Ends before the first line that is not indented further, but for the end of its own head.
  py: { begin: /^( *)(?:async )?def / },
};

/** The functions of a Go, Java or Python file: { line, lines }. */
export function listForeignFunctions(file, text) {
  const language = languages[file.slice(file.lastIndexOf(".") + 1)];
  if (language === undefined) return [];
  const lines = text.split("\n");
  return lines.flatMap((line, index) => {
    const indent = language.begin.exec(line)?.[1];
    if (indent === undefined) return [];
    const count = countLines(lines.slice(index + 1), indent, language.end);
    return [{ line: index + 1, lines: count + 1 }];
  });
}

/** How many of the lines belong to what began on the line before them. */
function countLines(lines, indent, end) {
  if (end !== undefined) return lines.indexOf(indent + end) + 1;
  const isOutside = (line) => line.trim() !== "" && !line.startsWith(`${indent} `);
  const next = lines.findIndex((line) => isOutside(line) && !line.startsWith(`${indent})`));
  const own = next < 0 ? lines : lines.slice(0, next);
  return own.findLastIndex((line) => line.trim() !== "") + 1;
}
