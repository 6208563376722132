// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { ProgramSettings, RunningProgram } from "../system/system.js";

/** A child that is not ready by then has failed. */
const readyWaitMs = 30_000;
/** A child that has not stopped by then is killed. */
const stopWaitMs = 10_000;

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A program in a process of its own. It ends, at the latest, with this process. */
export class Child implements RunningProgram {
  readonly pid: number;
  /** What the ready line says after its first words. */
  readonly address: string;
  readonly ended: Promise<void>;
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, pid: number, address: string) {
    this.#process = child;
    this.pid = pid;
    this.address = address;
    this.ended = new Promise((resolve) => child.once("exit", () => resolve()));
  }

  /** Starts a Node program; resolves when it has printed a line that begins with `ready`. */
  static startNode(
    program: string,
    programArguments: readonly string[],
    ready: string,
    settings?: ProgramSettings,
  ): Promise<Child> {
    return Child.start(process.execPath, [program, ...programArguments], ready, settings);
  }

  /** Starts any program likewise. */
  static async start(
    program: string,
    programArguments: readonly string[],
    ready: string,
    settings: ProgramSettings = {},
  ): Promise<Child> {
    const child = spawn(program, [...programArguments], {
      env: { ...quietEnvironment(), ...settings.env },
      ...settings.user,
      stdio: ["pipe", "pipe", settings.quiet === true ? "ignore" : "inherit"],
    });
    running.add(child);
    child.once("exit", () => running.delete(child));
    // What is written to one that has ended is lost; that it has ended is what matters.
    child.stdin?.on("error", () => {});
    const line = await waitForLine(child, ready, settings.onLine);
    if (child.pid === undefined) throw new Error(`${program} has no process`);
    return new Child(child, child.pid, line.slice(ready.length).trim());
  }

  write(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  /** Asks the program to stop, and resolves when it has. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const timer = setTimeout(() => child.kill("SIGKILL"), stopWaitMs);
    child.stdin?.end();
    child.kill("SIGTERM");
    await once(child, "exit");
    clearTimeout(timer);
  }
}

function waitForLine(
  child: ChildProcess,
  ready: string,
  onLine: ProgramSettings["onLine"],
): Promise<string> {
  if (ready === "") {
    child.stdout?.resume();
    return once(child, "spawn").then(() => "");
  }
  return new Promise((resolve, reject) => {
    if (child.stdout === null) throw new Error("the child's output is not piped");
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`a child was not ready after ${readyWaitMs} ms`));
    }, readyWaitMs);
    let isReady = false;
    createInterface(child.stdout).on("line", (line) => {
      if (isReady) {
        onLine?.(line);
      } else if (line.startsWith(ready)) {
        isReady = true;
        clearTimeout(timer);
        resolve(line);
      }
    });
    child.once("error", reject);
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`a child ended early with code ${code}`));
    });
  });
}

/** The environment without settings that would change what a child does. */
function quietEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PAWL|DAPR)_/.test(name));
  return Object.fromEntries(kept);
}
