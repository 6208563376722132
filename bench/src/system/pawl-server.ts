// SPDX-License-Identifier: Apache-2.0

import { fileURLToPath } from "node:url";
import type { RunningProgram, Toolbox } from "./system.js";

/** Starts `pawl serve` with a new data folder, as its package has it. */
export async function startPawl(toolbox: Toolbox): Promise<RunningProgram> {
  const program = fileURLToPath(new URL("main.js", import.meta.resolve("@pawl/server")));
  const folder = await toolbox.makeTempFolder();
  const flags = ["--port", "0", "--grpc-port", "0", "--data", folder, "--log-level", "warn"];
  return toolbox.startNode(program, ["serve", ...flags], "pawl ready on");
}
