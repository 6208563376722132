// SPDX-License-Identifier: Apache-2.0

import { createServer } from "@pawl/server";

const host = "127.0.0.1";
/** An instance that no input names, though some nearly do: nothing may happen to it. */
const witness = "witness-1f7";

/** A real server in this process, and what it must never do. */
export interface FuzzedServer {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Faults of its own that the server has logged, and promises that nobody looked after. */
  readonly faults: readonly string[];
  /** Sends a normal request, and throws unless it is answered as ever. */
  checkAnswers(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a server in memory. */
export async function startFuzzedServer(): Promise<FuzzedServer> {
  const faults: string[] = [];
  const onRejection = (reason: unknown): void => void faults.push(`unhandled: ${String(reason)}`);
  process.on("unhandledRejection", onRejection);
  process.on("uncaughtException", onRejection);
  const logger = {
    debug() {},
    info() {},
    warn() {},
    error: (facts: Readonly<Record<string, unknown>>, message: string) => {
      const { err, ...rest } = facts;
      const cause = err instanceof Error ? err.stack : String(err);
      faults.push(`${message} ${JSON.stringify(rest)} ${cause}`);
    },
  };
  const server = await createServer({ host, port: 0, store: "memory", logger, shutdownGraceMs: 0 });
  const instance = `${server.url}/v1.0/workflows/dapr/${witness}`;
  const start = `${server.url}/v1.0/workflows/dapr/witnessed/start?instanceID=${witness}`;
  await fetch(start, { method: "POST", body: '"alive"' });
  return {
    host,
    port: server.port,
    url: server.url,
    faults,
    async checkAnswers() {
      const response = await fetch(instance, { signal: AbortSignal.timeout(60_000) });
      const text = await response.text();
      if (response.status !== 200 || !text.includes('\\"alive\\"')) {
        throw new Error(`a normal request was answered ${response.status} ${text}`);
      }
    },
    async close() {
      await server.close();
      process.off("unhandledRejection", onRejection);
      process.off("uncaughtException", onRejection);
    },
  };
}
