// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findFreePort } from "@pawl/free-port";
import { chainOutput, requireOutput } from "../workload/fixtures.js";
import type { RunningProgram, Toolbox, WorkflowSystem } from "./system.js";

/** How long the server may take to answer. */
const readyWaitMs = 60_000;

/**
 * The Restate server with its own defaults, a service on its TypeScript SDK in another process, and
 * this process, which calls the server's HTTP ingress.
 */
export async function open(
  toolbox: Toolbox,
  { restateFolder = "" }: Readonly<Record<string, string>>,
): Promise<WorkflowSystem> {
  const [node, admin, ingress] = [await findFreePort(), await findFreePort(), await findFreePort()];
  const server = await startServer(toolbox, restateFolder, { node, admin, ingress });
  const service = await toolbox.startNode(join(restateFolder, "service.mjs"), [], "service ready", {
    env: { NODE_ENV: "production", RESTATE_LOGGING: "ERROR" },
  });
  await waitUntilHealthy(`http://127.0.0.1:${admin}/health`);
  await call(`http://127.0.0.1:${admin}/deployments`, {
    uri: `http://127.0.0.1:${service.address}`,
  });
  const run = (workflow: string, input: unknown): Promise<unknown> =>
    call(`http://127.0.0.1:${ingress}/${workflow}/${randomUUID()}/run`, input);
  await waitUntilHealthy(`http://127.0.0.1:${ingress}/restate/health`);
  return {
    pids: { server: server.pid, worker: service.pid },
    chain: async () => requireOutput(await run("chain", 0), chainOutput),
    fanOut: async (width) => requireOutput(await run("fanOut", width), width),
    steps: async (count) => requireNumbers(await run("steps", count)),
    startWaiting: (count) =>
      Promise.all(Array.from({ length: count }, (_, index) => startWaiting(ingress, index))),
    async close() {
      await service.stop();
      await server.stop();
    },
  };
}

async function startServer(
  toolbox: Toolbox,
  folder: string,
  ports: { node: number; admin: number; ingress: number },
): Promise<RunningProgram> {
  const platform = `restate-server-${process.platform}-${process.arch}`;
  const program = join(folder, "node_modules", "@restatedev", platform, "bin", "restate-server");
  const data = await toolbox.makeTempFolder();
  const flags = ["--no-logo", "--listen-mode", "tcp", "--bind-ip", "127.0.0.1"];
  return toolbox.startProgram(program, [...flags, "--base-dir", data], "", {
    quiet: true,
    env: {
      RESTATE_BIND_PORT: String(ports.node),
      RESTATE_ADMIN__BIND_PORT: String(ports.admin),
      RESTATE_INGRESS__BIND_PORT: String(ports.ingress),
      RESTATE_LOG_FILTER: "error",
      RESTATE_DISABLE_TELEMETRY: "true",
    },
  });
}

async function startWaiting(ingress: number, payload: number): Promise<() => Promise<void>> {
  const instance = `http://127.0.0.1:${ingress}/waiting/${randomUUID()}`;
  await call(`${instance}/run/send`, null);
  // Answered by the instance itself, which is past its start then.
  await call(`${instance}/isWaiting`, null);
  const attach = instance.replace("/waiting/", "/restate/workflow/waiting/");
  return async () => {
    const ended = fetch(`${attach}/attach`).then((response) => response.json());
    await call(`${instance}/raise`, payload);
    requireOutput(await ended, payload);
  };
}

async function call(url: string, input: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(input),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Restate answered ${response.status}: ${text.slice(0, 200)}`);
  return text === "" ? undefined : JSON.parse(text);
}

function requireNumbers(output: unknown): readonly number[] {
  if (Array.isArray(output) && output.every((item) => typeof item === "number")) return output;
  throw new Error(`a workflow ended with ${JSON.stringify(output)}`);
}

async function waitUntilHealthy(url: string): Promise<void> {
  const giveUpAt = Date.now() + readyWaitMs;
  while (Date.now() < giveUpAt) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(100);
  }
  throw new Error("Restate's server did not get ready");
}
