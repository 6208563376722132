// SPDX-License-Identifier: Apache-2.0

import { createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { Health, ServerReflection } from "@pawl/protocol";
import { ownCpuMs, processCpuMs } from "../process/cpu.js";
import { startPawl } from "../system/pawl-server.js";
import type { System, Toolbox } from "../system/system.js";
import { measure } from "../workload/measure.js";
import type { Totals } from "../workload/sample.js";

/** A query is nothing to the method, but what has one is left to Connect's own handler. */
const throughConnect: Interceptor = (next) => (request) =>
  next({ ...request, url: `${request.url}?connect` });

/**
 * The limit of the wire, over one connection. `what`: "call" is a gRPC call that does nothing,
 * "connect-call" the same through the handlers of the RPC library, "stream" a message there and back
 * on an open stream.
 */
export async function open(
  toolbox: Toolbox,
  { what }: Readonly<Record<string, string>>,
): Promise<System> {
  const server = await startPawl(toolbox);
  const baseUrl = server.address;
  const sessionManager = new Http2SessionManager(baseUrl);
  const interceptors = what === "connect-call" ? [throughConnect] : [];
  const settings = { baseUrl, sessionManager, interceptors, acceptCompression: [] };
  const transport = createGrpcTransport(settings);
  const readTotals = (): Totals => {
    const serverMs = processCpuMs(server.pid);
    return {
      cpuMs: { driver: ownCpuMs(), ...(serverMs === undefined ? {} : { server: serverMs }) },
    };
  };
  return {
    async measure(task) {
      const { run, end } = what === "stream" ? openStream(transport) : openCalls(transport);
      const work = { run, itemsPerRun: 1, runsAtOnce: task.atOnce, readTotals };
      const sample = await measure(work, task);
      await end();
      return sample;
    },
    async close() {
      sessionManager.abort();
      await server.stop();
    },
  };
}

interface Traffic {
  run(): Promise<void>;
  end(): Promise<void>;
}

function openCalls(transport: Transport): Traffic {
  const health = createClient(Health, transport);
  return { run: async () => void (await health.check({ service: "" })), end: async () => {} };
}

/** Asks the reflection service, which answers each message with one, for something that it has not. */
function openStream(transport: Transport): Traffic {
  const waiting: (() => void)[] = [];
  let asked = 0;
  let wake = (): void => {};
  let isOver = false;
  async function* questions() {
    for (let sent = 0; !isOver; sent += 1) {
      while (sent === asked && !isOver) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (!isOver) yield { messageRequest: { case: "fileByFilename", value: "none" } } as const;
    }
  }
  const answers = createClient(ServerReflection, transport).serverReflectionInfo(questions());
  const read = async (): Promise<void> => {
    for await (const _answer of answers) waiting.shift()?.();
  };
  const ended = read();
  return {
    run: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        asked += 1;
        wake();
      }),
    end: async () => {
      isOver = true;
      wake();
      await ended;
    },
  };
}
