// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { join } from "node:path";

const repository = join(import.meta.dirname, "..", "..", "..", "..");
const serverMain = join(repository, "packages/server/dist/main.js");

/** Where a server listens and what it keeps. */
export interface ServerPlace {
  readonly port: number;
  readonly dataDir: string;
}

/** How a server ended. */
export interface ServerEnding {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Its log. */
  readonly stderr: string;
}

/** One life of a server: a child process that is killed or stopped by who started it. */
export class ServerProcess {
  /** Resolves when the server ended, however it did. */
  readonly ended: Promise<ServerEnding>;
  /** Resolves with the milliseconds that it took when the server answers; never if it does not. */
  readonly ready: Promise<number>;
  readonly #child: ChildProcess;
  readonly #port: number;

  constructor({ port, dataDir }: ServerPlace) {
    const flags = ["--port", String(port), "--grpc-port", "0", "--data", dataDir];
    this.#port = port;
    const startedAt = performance.now();
    this.#child = spawn(process.execPath, [serverMain, "serve", ...flags], {
      cwd: repository,
      env: withoutSettings(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    // Whoever ends this process early leaves no server behind.
    const discard = (): void => void this.#child.kill("SIGKILL");
    process.once("exit", discard);
    this.ended = readEnding(this.#child).finally(() => process.off("exit", discard));
    const line = `pawl ready on http://127.0.0.1:${port}\n`;
    this.ready = readyLine(this.#child, line).then(() => performance.now() - startedAt);
  }

  /** Its process id. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The HTTP status that its health is told with; 0: it is not told. */
  async health(): Promise<number> {
    const request = get({ port: this.#port, path: "/v1.0/healthz", agent: false });
    try {
      const [response]: IncomingMessage[] = await once(request, "response");
      response?.resume();
      return response?.statusCode ?? 0;
    } catch {
      return 0;
    }
  }

  /** Ends the process at once. */
  kill(): Promise<ServerEnding> {
    this.#child.kill("SIGKILL");
    return this.ended;
  }

  /** Asks the process to end; after `graceMs` it is killed. */
  async stop(graceMs: number): Promise<ServerEnding> {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), graceMs);
    const ending = await this.ended;
    clearTimeout(timer);
    return ending;
  }
}

function withoutSettings(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !/^(PAWL|DAPR)_/.test(name));
  return Object.fromEntries(entries);
}

async function readEnding(child: ChildProcess): Promise<ServerEnding> {
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  await once(child, "close");
  return { code: child.exitCode, signal: child.signalCode, stderr };
}

function readyLine(child: ChildProcess, line: string): Promise<void> {
  let seen = "";
  return new Promise((resolve) => {
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      seen += text;
      if (seen.includes(line)) resolve();
    });
  });
}
