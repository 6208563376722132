// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Sample, Task } from "../workload/sample.js";
import type { System } from "./system.js";

/** What is sent to a host. */
export interface HostRequest {
  readonly task: Task;
}

/** What a host answers: that it is ready, then one reply to each request. */
export type HostReply =
  | { readonly kind: "ready" }
  | { readonly kind: "sample"; readonly sample: Sample }
  | { readonly kind: "failure"; readonly message: string };

/** A host that has not stopped by then is killed. */
const stopWaitMs = 20_000;

/** A system in a process of its own (`host.ts`), which ends, at the latest, after this one has. */
export class HostedSystem implements System {
  readonly #host: ChildProcess;

  private constructor(host: ChildProcess) {
    this.#host = host;
  }

  /** Opens the system of a module. */
  static async open(
    moduleUrl: URL,
    options: Readonly<Record<string, string>> = {},
  ): Promise<HostedSystem> {
    const program = fileURLToPath(new URL("./host.js", import.meta.url));
    const host = fork(program, [moduleUrl.href, JSON.stringify(options)], {
      // For all systems alike. The second is what docs/operate.md advises for programs that embed the engine.
      execArgv: ["--expose-gc", "--no-allocation-site-pretenuring"],
      // JSON has no NaN, which is what has not been measured.
      serialization: "advanced",
    });
    await nextReply(host);
    return new HostedSystem(host);
  }

  async measure(task: Task): Promise<Sample> {
    const replied = nextReply(this.#host);
    this.#host.send({ task } satisfies HostRequest);
    const reply = await replied;
    if (reply.kind !== "sample") throw new Error("the host lost its place");
    return reply.sample;
  }

  async close(): Promise<void> {
    const host = this.#host;
    if (host.exitCode !== null || host.signalCode !== null) return;
    const timer = setTimeout(() => host.kill("SIGKILL"), stopWaitMs);
    host.disconnect();
    await once(host, "exit");
    clearTimeout(timer);
  }
}

function nextReply(host: ChildProcess): Promise<HostReply> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      host.off("message", onMessage);
      host.off("exit", onExit);
    };
    const onMessage = (reply: HostReply): void => {
      stop();
      if (reply.kind === "failure") reject(new Error(reply.message));
      else resolve(reply);
    };
    const onExit = (code: number | null): void => {
      stop();
      reject(new Error(`a host ended with code ${code}`));
    };
    host.on("message", onMessage);
    host.once("exit", onExit);
  });
}
