// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePorts } from "@pawl/free-port";
import { afterAll, onTestFinished } from "vitest";

/** The root of the repository. */
export const repository = join(import.meta.dirname, "..", "..");
/** A starved machine needs long to start npm, which starts Node, which starts the server. */
const startMs = 100_000;
const stopMs = 20_000;

/**
 * The bare server; the sample (a server with the order workflow's worker in one process); or the
 * sample as `npm start` starts it.
 */
export type Program = "server" | "sample" | "npm-start";

/** How a process ended, and what it printed. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line of a program. */
function commandLine(program: Program, flags: readonly string[]): [string, string[]] {
  switch (program) {
    case "server":
      return [
        process.execPath,
        [join(repository, "packages/server/dist/main.js"), "serve", ...flags],
      ];
    case "sample":
      return [process.execPath, [join(repository, "examples/order/dist/start.js"), ...flags]];
    case "npm-start":
      return ["npm", ["start", "--", ...flags]];
  }
}

const running = new Set<ChildProcess>();
const madeFolders: string[] = [];
afterAll(async () => {
  // Those of a hook or a test that did not get to discard them.
  for (const child of running) killGroup(child);
  for (const folder of madeFolders) {
    await rm(folder, { recursive: true, force: true, maxRetries: 9 });
  }
});

/** A new empty folder that is removed when the tests of the file have run. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pawl-e2e-"));
  madeFolders.push(folder);
  return folder;
}

/** Where a server listens and what it keeps. */
export interface ServerPlace {
  readonly port: number;
  readonly grpcPort: number;
  readonly dataDir: string;
}

/** Free ports and a new folder. */
export async function findPlace(): Promise<ServerPlace> {
  const [port, grpcPort] = await findFreePorts();
  return { port, grpcPort, dataDir: join(await makeFolder(), "data") };
}

/** A place as command-line flags. */
export function placeFlags(place: ServerPlace): string[] {
  const { port, grpcPort, dataDir } = place;
  return ["--port", String(port), "--grpc-port", String(grpcPort), "--data", dataDir];
}

/** A running server. */
export class ServerProcess {
  readonly place: ServerPlace;
  /** Base of every HTTP address. */
  readonly url: string;
  /** What it printed to standard output up to its ready line. */
  readonly greeting: string;
  readonly #child: ChildProcess;
  readonly #ending: Promise<Ending>;

  private constructor(
    place: ServerPlace,
    url: string,
    greeting: string,
    child: ChildProcess,
    ending: Promise<Ending>,
  ) {
    this.place = place;
    this.url = url;
    this.greeting = greeting;
    this.#child = child;
    this.#ending = ending;
  }

  /** Starts a program and resolves once it has printed its ready line. */
  static async start(
    program: Program = "server",
    place?: ServerPlace,
    flags: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<ServerProcess> {
    const where = place ?? (await findPlace());
    const child = spawnProgram(program, [...placeFlags(where), ...flags], env);
    const ending = collectEnding(child);
    const scheme = flags.includes("--tls-cert") ? "https" : "http";
    const host = flags.includes("0.0.0.0") ? "0.0.0.0" : "127.0.0.1";
    const url = `${scheme}://${host}:${where.port}`;
    const greeting = await waitForLine(child, ending, `pawl ready on ${url}`);
    return new ServerProcess(where, url, greeting, child, ending);
  }

  /** HOST:PORT of the port that Dapr SDKs use. */
  get grpcAddress(): string {
    return `127.0.0.1:${this.place.grpcPort}`;
  }

  /** Sends a signal and resolves when the process has ended. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Ending> {
    this.#child.kill(signal);
    return this.#ending;
  }

  /** Does what a terminal does on Ctrl-C: SIGINT to every process of the group. */
  async interruptGroup(): Promise<Ending> {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, "SIGINT");
    return this.#ending;
  }

  /** Ends the process, by force, with all that it has started, when it does not obey. */
  async discard(): Promise<void> {
    const timer = setTimeout(() => killGroup(this.#child), stopMs);
    await this.stop();
    clearTimeout(timer);
  }
}

/** Starts a server for one test; it is gone after it. */
export async function useServer(
  ...startArguments: Parameters<typeof ServerProcess.start>
): Promise<ServerProcess> {
  const server = await ServerProcess.start(...startArguments);
  onTestFinished(() => server.discard());
  return server;
}

/** Runs a program that is expected to end by itself. */
export async function runToEnd(program: Program, flags: readonly string[]): Promise<Ending> {
  return collectEnding(spawnProgram(program, flags));
}

function spawnProgram(
  program: Program,
  flags: readonly string[],
  extraEnv: Readonly<Record<string, string>> = {},
): ChildProcess {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(PAWL|DAPR)_/.test(name)),
  );
  const [command, commandArguments] = commandLine(program, flags);
  const child = spawn(command, commandArguments, {
    cwd: repository,
    env: { ...env, ...extraEnv },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  running.add(child);
  child.once("close", () => running.delete(child));
  return child;
}

/** Kills the process and those that it has started: npm, killed alone, leaves its server behind. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // They have ended.
  }
}

async function collectEnding(child: ChildProcess): Promise<Ending> {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  await once(child, "close");
  return { code: child.exitCode, signal: child.signalCode, stdout, stderr };
}

/** Resolves with what was printed up to and with the wanted line. */
async function waitForLine(
  child: ChildProcess,
  ending: Promise<Ending>,
  wanted: string,
): Promise<string> {
  const found = new Promise<string>((resolve) => {
    let seen = "";
    child.stdout?.on("data", (text: string) => {
      seen += text;
      if (seen.split("\n").slice(0, -1).includes(wanted)) resolve(seen);
    });
  });
  const timer = setTimeout(() => killGroup(child), startMs);
  const ended = ending.then(({ stdout, stderr }) => {
    throw new Error(`the server did not get ready:\n${stdout}${stderr}`);
  });
  ended.catch(() => undefined);
  try {
    return await Promise.race([found, ended]);
  } finally {
    clearTimeout(timer);
  }
}
