// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseRunLines, type RunLine } from "./run-line.ts";

const workerMain = join(import.meta.dirname, "worker-main.ts");

/** A worker as a child process, to be killed. */
export class WorkerProcess {
  /** Resolves when the worker is connected to its server. */
  readonly connected: Promise<void>;
  readonly #child: ChildProcess;
  readonly #path: string;
  readonly #exited: Promise<unknown>;
  #killedAt = Number.POSITIVE_INFINITY;

  /** Starts a worker that writes what it runs into the file `path`. */
  constructor(baseUrl: string, path: string) {
    this.#path = path;
    this.#child = fork(workerMain, [baseUrl, path], { execArgv: [], stdio: "ignore" });
    this.#exited = once(this.#child, "exit");
    this.connected = this.#told("connected");
  }

  /** The instant of its kill, as far as it was killed; it may have run until then. */
  get killedAt(): number {
    return this.#killedAt;
  }

  /** Resolves when the next activity begins. */
  nextBegin(): Promise<void> {
    return this.#told("begin");
  }

  /** Ends the process at once. */
  async kill(): Promise<void> {
    this.#killedAt = Date.now();
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  /** What it has run so far. */
  runLines(): RunLine[] {
    return parseRunLines(readFileSync(this.#path, "utf8"));
  }

  #told(word: string): Promise<void> {
    return new Promise((resolve) => {
      const listen = (message: unknown): void => {
        if (message !== word) return;
        this.#child.off("message", listen);
        resolve();
      };
      this.#child.on("message", listen);
    });
  }
}
