// SPDX-License-Identifier: Apache-2.0

import { fileURLToPath } from "node:url";
import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import type { Totals } from "../bench.js";
import { Child } from "./child.js";
import { ownCpuMs, processCpuMs } from "./cpu.js";
import { makeTempFolder, removeTempFolder } from "./temp-folder.js";

/** A server and a worker, each in a process of its own, and a gRPC connection to the server. */
export interface Deployment {
  /** gRPC over one HTTP/2 connection. */
  readonly transport: Transport;
  readTotals(): Totals;
  stop(): Promise<void>;
}

/** Starts a deployment with a new data folder. */
export async function startDeployment(): Promise<Deployment> {
  const folder = await makeTempFolder();
  const flags = ["--port", "0", "--grpc-port", "0", "--data", folder, "--log-level", "warn"];
  const server = await Child.start(serverProgram(), ["serve", ...flags], "pawl ready on");
  const baseUrl = server.address;
  const worker = await Child.start(workerProgram(), [baseUrl], "worker ready");
  const sessionManager = new Http2SessionManager(baseUrl);
  return {
    // As the client does: what is this small is not worth compressing.
    transport: createGrpcTransport({ baseUrl, sessionManager, acceptCompression: [] }),
    readTotals: () => ({ cpuMs: { bench: ownCpuMs(), ...readCpuMs({ server, worker }) } }),
    async stop() {
      sessionManager.abort();
      await worker.stop();
      await server.stop();
      await removeTempFolder(folder);
    },
  };
}

/** The command line of the server, as its package has it. */
function serverProgram(): string {
  return fileURLToPath(new URL("main.js", import.meta.resolve("@pawl/server")));
}

function workerProgram(): string {
  return fileURLToPath(new URL("./chain-worker.js", import.meta.url));
}

function readCpuMs(children: Readonly<Record<"server" | "worker", Child>>): Totals["cpuMs"] {
  const server = processCpuMs(children.server.pid);
  const worker = processCpuMs(children.worker.pid);
  return {
    ...(server === undefined ? {} : { server }),
    ...(worker === undefined ? {} : { worker }),
  };
}
