// SPDX-License-Identifier: Apache-2.0

import { join } from "node:path";
import { startPawl } from "./pawl-server.js";
import type { RunningProgram, Toolbox, WorkflowSystem } from "./system.js";

/**
 * A server of the Durable Task sidecar service (`server`: "pawl", or "go" for the module's own on
 * SQLite), a worker of a Durable Task SDK (`worker`: "go" or "javascript"), and the Go module's client,
 * which this process drives: one in JavaScript would take more than a worker does.
 */
export async function open(
  toolbox: Toolbox,
  options: Readonly<Record<string, string>>,
): Promise<WorkflowSystem> {
  const server = await startServer(toolbox, options);
  const address = server.address.replace("http://", "");
  const worker = await startWorker(toolbox, options, address);
  const client = await GoClient.start(toolbox, options, address);
  return {
    pids: { server: server.pid, worker: worker.pid, driver: client.pid },
    chain: () => client.runChain(),
    async close() {
      await client.stop();
      await worker.stop();
      await server.stop();
    },
  };
}

/** Who waits for the end of a chain. */
type Waiting = Map<
  string,
  { readonly resolve: () => void; readonly reject: (error: Error) => void }
>;

/** The Go module's client in a process of its own, which runs a chain for each line that it is given. */
class GoClient {
  readonly #program: RunningProgram;
  readonly #waiting: Waiting;
  #lastNumber = 0;

  private constructor(program: RunningProgram, waiting: Waiting) {
    this.#program = program;
    this.#waiting = waiting;
    void program.ended.then(() => {
      for (const { reject } of waiting.values()) reject(new Error("the client has ended"));
    });
  }

  static async start(
    toolbox: Toolbox,
    { goFolder = "" }: Readonly<Record<string, string>>,
    address: string,
  ): Promise<GoClient> {
    const waiting: Waiting = new Map();
    const onLine = (number: string): void => {
      waiting.get(number)?.resolve();
      waiting.delete(number);
    };
    const program = join(goFolder, "bench-go");
    const started = toolbox.startProgram(program, ["client", address], "client ready", { onLine });
    return new GoClient(await started, waiting);
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** Starts a chain and waits for its end. A client ends with the first that does not end well. */
  runChain(): Promise<void> {
    this.#lastNumber += 1;
    const number = String(this.#lastNumber);
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      this.#program.write(number);
    });
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }
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

/** Starts a worker of a Durable Task SDK (`worker`: "go" or "javascript") that connects to an address. */
export function startWorker(
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
