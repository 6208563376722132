// SPDX-License-Identifier: Apache-2.0

// `pnpm bench`: brings the clone up to date, then runs the benchmark on the pinned Node.

import { join } from "node:path";
import { runProgram, setUp } from "../scripts/setup.mjs";
import { nodePath, root, run } from "../scripts/workspace.mjs";

await runProgram(async () => {
  await setUp();
  const program = join(root, "bench", "dist", "main.js");
  process.exitCode = await run(nodePath(), [program, ...process.argv.slice(2)]);
});
