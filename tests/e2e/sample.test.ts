// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { type ServerProcess, useServer } from "./server-process.js";
import { findTool } from "./tool.js";

const execute = promisify(execFile);

/** The lines of a greeting that are there to be pasted. */
function linesToPaste({ greeting }: ServerProcess): string[] {
  const lines = greeting.split("\n").filter((line) => line.trim().startsWith("curl "));
  expect(lines).toHaveLength(2);
  return lines;
}

/** Pastes the lines, which start an order and end it. */
async function paste(lines: readonly string[]): Promise<void> {
  const printed: string[] = [];
  for (const line of lines) {
    printed.push((await execute("bash", ["-c", line], { timeout: 60_000 })).stdout);
  }
  expect(printed[0]).toContain('"instanceID"');
  expect(printed[1]).toContain('"runtimeStatus":"COMPLETED"');
}

test.skipIf(findTool("CURL") === undefined)(
  "npm start prints its address, its folder and two curl lines that work when pasted",
  async () => {
    const server = await useServer("npm-start");
    expect(server.greeting).toContain(server.url);
    expect(server.greeting).toContain(server.place.dataDir);
    await paste(linesToPaste(server));
  },
);

test.skipIf(findTool("CURL") === undefined)(
  "the lines have a place for a token where one is needed, and never the token",
  async () => {
    const token = "a-token-of-this-test";
    const env = { DAPR_API_TOKEN: token };
    const server = await useServer("sample", undefined, [], env);
    expect(server.greeting).not.toContain(token);
    await paste(linesToPaste(server).map((line) => line.replaceAll("TOKEN", token)));
  },
);

test("npm start with --no-sample runs no worker and prints no lines to paste", async () => {
  const server = await useServer("npm-start", undefined, ["--no-sample"]);
  expect(server.greeting).not.toContain("curl ");
});

test("npm start with --store memory leaves no folder", async () => {
  const server = await useServer("npm-start", undefined, ["--store", "memory"]);
  expect(server.greeting).toContain("in memory");
  expect(existsSync(server.place.dataDir)).toBe(false);
});
