// SPDX-License-Identifier: Apache-2.0

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DaprWorkflowClient, WorkflowRuntimeStatus, type WorkflowState } from "@dapr/dapr";
import { findFreePorts } from "@pawl/free-port";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { CallLog } from "./call-log.mjs";
import { Gate } from "./gate.mjs";
import { ServerProcess, WorkerProcess } from "./processes.ts";
import { waitSeconds } from "./waiting.mjs";

/** A server, a worker and a client, each with the SDK's own settings but for the port. */
export class System {
  readonly server: ServerProcess;
  readonly worker: WorkerProcess;
  readonly client: DaprWorkflowClient;
  readonly calls: CallLog;
  readonly gate: Gate;
  readonly #directory: string;

  private constructor(directory: string, stateDir: string, ports: readonly [number, number]) {
    this.#directory = directory;
    this.server = new ServerProcess(...ports, join(directory, "data"));
    this.worker = new WorkerProcess(this.server.port, stateDir);
    this.client = createClient(this.server.port);
    this.calls = new CallLog(stateDir);
    this.gate = new Gate(stateDir);
  }

  /** Starts a server and a worker with folders of their own. */
  static async start(): Promise<System> {
    const directory = await mkdtemp(join(tmpdir(), "pawl-interop-"));
    const stateDir = join(directory, "state");
    await mkdir(stateDir);
    const system = new System(directory, stateDir, await findFreePorts());
    try {
      await system.server.start();
      await system.worker.start();
    } catch (error) {
      await system.stop();
      throw error;
    }
    return system;
  }

  async stop(): Promise<void> {
    this.gate.open();
    try {
      await Promise.all([this.client.stop(), this.worker.stop()]);
    } finally {
      await this.server.stop();
      await rm(this.#directory, { recursive: true, force: true });
    }
  }

  /** The state of the instance once it has finished in whatever way. */
  async waitForEnd(instanceId: string): Promise<WorkflowState> {
    const state = await this.client.waitForWorkflowCompletion(instanceId, true, waitSeconds);
    return state ?? expect.fail(`no instance ${instanceId}`);
  }

  /** The output of the instance once it has completed; fails when it ended otherwise. */
  async waitForOutput(instanceId: string): Promise<unknown> {
    const state = await this.waitForEnd(instanceId);
    expect(state.runtimeStatus, state.workflowFailureDetails?.getErrorMessage()).toBe(
      WorkflowRuntimeStatus.COMPLETED,
    );
    return JSON.parse(state.serializedOutput ?? "null");
  }

  /** The status of an instance that must exist. */
  async statusOf(instanceId: string): Promise<WorkflowRuntimeStatus> {
    const state = await this.client.getWorkflowState(instanceId, true);
    return state?.runtimeStatus ?? expect.fail(`no instance ${instanceId}`);
  }
}

/** The SDK's client, told nothing but where the server is. */
export function createClient(port: number): DaprWorkflowClient {
  return new DaprWorkflowClient({ daprHost: "127.0.0.1", daprPort: String(port) });
}

/**
 * Starts a system for all tests of the calling file, or a new one for each test, and stops it
 * afterwards. What server and worker printed is shown with a test that fails.
 */
export function useSystem(lifetime: "file" | "test"): () => System {
  let system: System | undefined;
  const requireSystem = () => system ?? expect.fail("the system is not running");
  const [before, after] = lifetime === "file" ? [beforeAll, afterAll] : [beforeEach, afterEach];

  before(async () => {
    system = await System.start();
  });
  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => {
      const { server, worker } = requireSystem();
      console.log(`--- server\n${server.output}\n--- worker\n${worker.output}`);
    });
  });
  after(async () => {
    await system?.stop();
  });
  return requireSystem;
}
