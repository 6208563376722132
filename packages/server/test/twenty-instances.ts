// SPDX-License-Identifier: Apache-2.0

import type { PawlServer } from "../src/index.js";
import { startServer } from "./test-server.js";

/** A server with i-00 to i-19: two workflows in turn, three values of a tag, two that were terminated. */
export async function serverWithInstances(): Promise<PawlServer> {
  const server = await startServer();
  for (let index = 0; index < 20; index += 1) {
    await server.engine.start({
      workflow: index % 2 === 0 ? "even" : "odd",
      instanceId: `i-${String(index).padStart(2, "0")}`,
      input: String(index),
      tags: { third: String(index % 3) },
    });
  }
  for (const id of ["i-03", "i-04"]) await server.engine.terminate(id);
  return server;
}
