// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll } from "vitest";

const repository = join(import.meta.dirname, "../../..");
const pinnedNode = join(repository, "node_modules/.bin/node");
const node = existsSync(pinnedNode) ? pinnedNode : "node";
const startMs = 60_000;
const stopMs = 15_000;

const running = new Set<ChildProcess>();
afterAll(() => {
  // Those of a hook or a test that did not get to stop them.
  for (const child of running) child.kill("SIGKILL");
});

/** A process that says with one line on stdout that it is ready for work. */
export class ReadyProcess {
  readonly #program: string;
  readonly #args: readonly string[];
  readonly #readyText: string;
  #child: ChildProcess | undefined;
  #output = "";

  constructor(program: string, args: readonly string[], readyText: string) {
    this.#program = program;
    this.#args = args;
    this.#readyText = readyText;
  }

  /** Resolves once the ready line was printed. */
  async start(): Promise<void> {
    const child = spawn(this.#program, this.#args, {
      cwd: import.meta.dirname,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    running.add(child);
    child.once("exit", () => running.delete(child));
    const isReady = await new Promise<boolean>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on("line", (line) => {
          this.#output += `${line}\n`;
          if (line.includes(this.#readyText)) {
            resolve(true);
          }
        });
      }
      child.once("exit", () => resolve(false));
      child.once("error", (error) => {
        this.#output += `${error}\n`;
        resolve(false);
      });
      setTimeout(resolve, startMs, false).unref();
    });
    if (!isReady) {
      await this.kill();
      throw new Error(`not ready: ${this.#program} ${this.#args.join(" ")}\n${this.#output}`);
    }
  }

  /** Ends the process by SIGTERM; by SIGKILL when it does not obey. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#child?.kill("SIGKILL"), stopMs);
    await this.#end("SIGTERM");
    clearTimeout(timer);
  }

  /** Ends the process by SIGKILL: it has no chance to finish anything. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Resolves once the process has ended by itself. */
  async waitForExit(): Promise<void> {
    const child = this.#running();
    if (child !== undefined) {
      await once(child, "exit", { signal: AbortSignal.timeout(startMs) });
    }
  }

  /** All that the process printed so far, over all its starts. */
  get output(): string {
    return this.#output;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#running();
    if (child !== undefined) {
      const exited = once(child, "exit");
      child.kill(signal);
      await exited;
    }
  }

  #running(): ChildProcess | undefined {
    const child = this.#child;
    return child?.exitCode === null && child.signalCode === null ? child : undefined;
  }
}

/** A Pawl server on ports and a data folder that stay the same over restarts. */
export class ServerProcess extends ReadyProcess {
  readonly port: number;
  readonly grpcPort: number;

  constructor(port: number, grpcPort: number, dataDir: string, flags: readonly string[] = []) {
    const main = process.env.PAWL_SERVER || join(repository, "packages/server/dist/main.js");
    const ports = ["--port", String(port), "--grpc-port", String(grpcPort)];
    super(node, [main, "serve", ...ports, "--data", dataDir, ...flags], "pawl ready on ");
    this.port = port;
    this.grpcPort = grpcPort;
  }
}

/** A process that runs `worker.mjs` with the SDK, told nothing but the port. */
export class WorkerProcess extends ReadyProcess {
  constructor(port: number, stateDir: string) {
    const worker = join(import.meta.dirname, "worker.mjs");
    super(node, [worker, "--port", String(port), "--state-dir", stateDir], "worker ready");
  }
}
