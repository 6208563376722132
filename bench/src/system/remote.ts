// SPDX-License-Identifier: Apache-2.0

import { fileURLToPath } from "node:url";
import { createClient } from "@pawl/client";
import { clientWorkloads } from "./client-workloads.js";
import { startPawl } from "./pawl-server.js";
import type { Toolbox, WorkflowSystem } from "./system.js";

/** Server, worker and this process, which drives them over gRPC. */
export async function open(toolbox: Toolbox): Promise<WorkflowSystem> {
  const server = await startPawl(toolbox);
  const baseUrl = server.address;
  const program = fileURLToPath(new URL("../process/chain-worker.js", import.meta.url));
  const worker = await toolbox.startNode(program, [baseUrl], "worker ready");
  const client = createClient({ baseUrl });
  return {
    pids: { server: server.pid, worker: worker.pid },
    ...clientWorkloads(client),
    async close() {
      client.close();
      await worker.stop();
      await server.stop();
    },
  };
}
