// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePorts } from "../../free-port/index.js";
import { type ReadyProcess, ServerProcess } from "../javascript/processes.ts";
import { waitUntil } from "../javascript/waiting.mjs";
import type { Language, WorkerMaker } from "./workers.ts";

/** What Dapr's HTTP API shows of an instance. */
export interface Shown {
  readonly runtimeStatus: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** A failure as history has it. */
export interface Failure {
  readonly errorType: string;
  readonly errorMessage: string;
}

/** A server, and workers of several languages, driven by Dapr's HTTP API alone. */
export class MixedSystem {
  readonly server: ServerProcess;
  readonly workers: ReadonlyMap<Language, ReadyProcess>;
  readonly #directory: string;

  private constructor(
    directory: string,
    server: ServerProcess,
    workers: ReadonlyMap<Language, ReadyProcess>,
  ) {
    this.#directory = directory;
    this.server = server;
    this.workers = workers;
  }

  /** Starts a server and these workers, and returns when all have their stream. */
  static async start(
    makers: Readonly<Record<Language, WorkerMaker>>,
    languages: readonly Language[],
  ): Promise<MixedSystem> {
    const directory = await mkdtemp(join(tmpdir(), "pawl-mixed-"));
    const stateDir = join(directory, "state");
    await mkdir(stateDir);
    // A worker that a test takes away is back in time, however slow the machine.
    const flags = ["--worker-return", "10m"];
    const server = new ServerProcess(...(await findFreePorts()), join(directory, "data"), flags);
    const workers = languages.map(
      (language) => [language, makers[language](server.port, stateDir)] as const,
    );
    const system = new MixedSystem(directory, server, new Map(workers));
    try {
      await server.start();
      await Promise.all(workers.map(([, worker]) => worker.start()));
      await system.waitForWorkers(languages.length);
    } catch (error) {
      await system.stop();
      throw error;
    }
    return system;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.workers.values()].map((worker) => worker.kill()));
    await this.server.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Resolves when this many workers have their stream to the server. */
  async waitForWorkers(count: number): Promise<void> {
    await waitUntil(async () => {
      const shown = await fetch(`${this.#url}/v1.0/metadata`);
      const { workflows } = (await shown.json()) as { workflows?: { connectedWorkers: number } };
      return (workflows?.connectedWorkers ?? 0) === count;
    }, `${count} workers`);
  }

  /** Starts a workflow; resolves with its instance's id. */
  async run(workflow: string, input: unknown): Promise<string> {
    const path = `/v1.0/workflows/dapr/${workflow}/start`;
    const body = JSON.stringify(input);
    const started = await fetch(`${this.#url}${path}`, { method: "POST", body });
    const { instanceID } = (await started.json()) as { instanceID: string };
    return instanceID;
  }

  /** The state of an instance. */
  async get(instanceId: string): Promise<Shown> {
    const shown = await fetch(`${this.#url}/v1.0/workflows/dapr/${instanceId}`);
    return (await shown.json()) as Shown;
  }

  /** The state of an instance that has ended. */
  async end(instanceId: string): Promise<Shown> {
    await waitUntil(
      async () => ["COMPLETED", "FAILED"].includes((await this.get(instanceId)).runtimeStatus),
      `the end of ${instanceId}`,
    );
    return this.get(instanceId);
  }

  /** The output of an instance that completed. */
  async output(instanceId: string): Promise<unknown> {
    const { runtimeStatus, properties } = await this.end(instanceId);
    if (runtimeStatus !== "COMPLETED") {
      throw new Error(`it failed: ${properties["dapr.workflow.failure.error_message"]}`);
    }
    return JSON.parse(properties["dapr.workflow.output"] ?? "null");
  }

  /** Failures of activities in the history of an instance. */
  async activityFailures(instanceId: string): Promise<Failure[]> {
    const read = await fetch(`${this.#url}/v1.0/workflows/dapr/${instanceId}/history`);
    const { events } = (await read.json()) as {
      events: { taskFailed?: { failureDetails: Failure } }[];
    };
    return events.flatMap(({ taskFailed }) =>
      taskFailed === undefined ? [] : [taskFailed.failureDetails],
    );
  }

  /** What the mark activities of all workers gave for texts that begin so, in order. */
  marks(text: string): string[] {
    const file = join(this.#directory, "state/marks.txt");
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, "utf8").split("\n");
    return lines.filter((line) => line.startsWith(`${text} `));
  }

  /** What all processes printed. */
  get printed(): string {
    const all = [["server", this.server] as const, ...this.workers];
    return all.map(([name, { output }]) => `--- ${name}\n${output}`).join("\n");
  }

  get #url(): string {
    return `http://127.0.0.1:${this.server.port}`;
  }
}
