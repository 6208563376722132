// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { TaskHubSidecarService } from "@pawl/protocol";
import { chainOutput, requireOutput } from "../workload/fixtures.js";
import { startPawl } from "./pawl-server.js";
import type { RunningProgram, Toolbox, WorkflowSystem } from "./system.js";

/**
 * A server of the Durable Task sidecar service (`server`: "pawl", or "go" for the module's own on
 * SQLite), a worker of a Durable Task SDK (`worker`: "go" or "javascript"), and this process, which
 * calls the service over gRPC.
 */
export async function open(
  toolbox: Toolbox,
  options: Readonly<Record<string, string>>,
): Promise<WorkflowSystem> {
  const server = await startServer(toolbox, options);
  const worker = await startWorker(toolbox, options, server.address.replace("http://", ""));
  const baseUrl = `http://${server.address.replace("http://", "")}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  const transport = createGrpcTransport({ baseUrl, sessionManager, acceptCompression: [] });
  const service = createClient(TaskHubSidecarService, transport);
  return {
    pids: { server: server.pid, worker: worker.pid },
    async chain() {
      const instanceId = randomUUID();
      // Not 0: the JavaScript SDK loses inputs that are falsy.
      await service.startInstance({ instanceId, name: "chain", input: "1" });
      const request = { instanceId, getInputsAndOutputs: true };
      const { workflowState } = await service.waitForInstanceCompletion(request);
      requireOutput(workflowState?.output, String(1 + chainOutput));
    },
    async close() {
      sessionManager.abort();
      await worker.stop();
      await server.stop();
    },
  };
}

async function startServer(
  toolbox: Toolbox,
  { server, goFolder = "" }: Readonly<Record<string, string>>,
): Promise<RunningProgram> {
  if (server === "pawl") return startPawl(toolbox);
  const file = join(await toolbox.makeTempFolder(), "sidecar.sqlite3");
  const program = join(goFolder, "bench-go");
  return toolbox.startProgram(program, ["sidecar", file], "sidecar ready", { quiet: true });
}

function startWorker(
  toolbox: Toolbox,
  { worker, goFolder = "", javascriptFolder = "" }: Readonly<Record<string, string>>,
  address: string,
): Promise<RunningProgram> {
  const settings = { quiet: true };
  if (worker === "go") {
    const program = join(goFolder, "bench-go");
    return toolbox.startProgram(program, ["worker", address], "worker ready", settings);
  }
  const program = join(javascriptFolder, "worker.mjs");
  return toolbox.startNode(program, [address], "worker ready", settings);
}
