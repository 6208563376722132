// SPDX-License-Identifier: Apache-2.0

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Toolbox, WorkflowSystem } from "./system.js";

/** The in-memory backend of a Durable Task SDK, in this process: nothing of it is on disk. */
export async function open(
  _toolbox: Toolbox,
  options: Readonly<Record<string, string>>,
): Promise<WorkflowSystem> {
  const url = pathToFileURL(join(options["in-memoryFolder"] ?? "", "system.mjs"));
  const module: { open(): Promise<WorkflowSystem> } = await import(url.href);
  return module.open();
}
