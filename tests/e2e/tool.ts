// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Programs that `npm test -- e2e` finds or makes (scripts/suites.mjs). */
export type ToolName = "CURL" | "GRPCURL" | "PYTHON" | "DAPR_PYTHON";

/**
 * The path of a tool, or undefined when it is not there: tests that need it skip themselves then.
 * In CI nothing is skipped.
 */
export function findTool(name: ToolName): string | undefined {
  const path = process.env[`PAWL_TEST_${name}`];
  if (path === undefined && process.env.CI === "true") throw new Error(`no ${name} in CI`);
  return path;
}

/** Runs a tool; resolves with what it printed to standard output. Rejects when it fails. */
export async function runTool(name: ToolName, toolArguments: readonly string[]): Promise<string> {
  const path = findTool(name);
  if (path === undefined) throw new Error(`${name} is not there`);
  const { stdout } = await execute(path, toolArguments, { timeout: 60_000 });
  return stdout;
}
