// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

test("every command of the table in docs/rest.md is in a block that CI runs", () => {
  const path = join(import.meta.dirname, "../../../docs/rest.md");
  const lines = readFileSync(path, "utf8").split("\n");
  const commands = lines.flatMap((line) =>
    line.startsWith("|") ? [...line.matchAll(/`(curl [^`]+)`/g)].map((match) => match[1]) : [],
  );

  expect(commands).toHaveLength(14);
  for (const command of commands) {
    expect(lines).toContain(command);
  }
});
