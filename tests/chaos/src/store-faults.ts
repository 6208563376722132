// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "../../..");

/**
 * Runs every scenario of the engine's store faults with each single call of the store going wrong:
 * refused, carried out and refused all the same, or cut off with the process. Gives the exit code.
 */
export function failEachCall(): Promise<number> {
  return new Promise((end, fail) => {
    const vitest = resolve(root, "node_modules/.bin/vitest");
    const test = "packages/engine/test/fail-each-call";
    const run = spawn(vitest, ["run", "--reporter=verbose", test], { cwd: root, stdio: "inherit" });
    run.on("error", fail);
    run.on("close", (code) => end(code ?? 1));
  });
}
