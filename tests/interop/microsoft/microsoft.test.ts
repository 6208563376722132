// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  NoOpLogger,
  type OrchestrationState,
  OrchestrationStatus,
  TaskHubGrpcClient,
  type TaskHubGrpcWorker,
} from "@microsoft/durabletask-js";
import { findFreePorts } from "@pawl/free-port";
import { ReadyProcess, ServerProcess } from "@pawl/interop-javascript/processes.ts";
import { waitSeconds, waitUntil } from "@pawl/interop-javascript/waiting.mjs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createWorker } from "./worker.mjs";

let directory: string;
let server: ServerProcess;
let python: ReadyProcess;
let javascript: TaskHubGrpcWorker;
let client: TaskHubGrpcClient;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pawl-microsoft-"));
  server = new ServerProcess(...(await findFreePorts()), join(directory, "data"));
  await server.start();
  const { PAWL_TEST_MICROSOFT_PYTHON: program = "python3" } = process.env;
  const script = join(import.meta.dirname, "worker.py");
  python = new ReadyProcess(program, [script, `${server.port}`], "worker ready");
  javascript = createWorker(server.port);
  await Promise.all([python.start(), javascript.start()]);
  const hostAddress = `127.0.0.1:${server.port}`;
  client = new TaskHubGrpcClient({ hostAddress, logger: new NoOpLogger() });
  await waitUntil(() => server.output.split('"worker connected"').length >= 3, "both workers");
});

beforeEach(({ onTestFailed }) => {
  onTestFailed(() => console.log(`--- server\n${server.output}\n--- python\n${python.output}`));
});

afterAll(async () => {
  try {
    await Promise.all([client?.stop(), javascript?.stop(), python?.stop()]);
  } finally {
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  }
});

/** The state of an instance that has ended. */
async function end(instanceId: string): Promise<OrchestrationState> {
  const state = await client.waitForOrchestrationCompletion(instanceId, true, waitSeconds);
  return state ?? expect.fail(`no instance ${instanceId}`);
}

/** The output of a run that completes. */
async function output(name: string, input: unknown): Promise<unknown> {
  const state = await end(await client.scheduleNewOrchestration(name, input));
  expect(state.runtimeStatus, state.failureDetails?.message).toBe(OrchestrationStatus.COMPLETED);
  return JSON.parse(state.serializedOutput ?? "null");
}

/** Starts one that waits for the event "answer", and returns when it has begun. */
async function startWaiting(language: string): Promise<string> {
  const instanceId = await client.scheduleNewOrchestration(`${language}_wait`);
  await client.waitForOrchestrationStart(instanceId, false, waitSeconds);
  return instanceId;
}

async function statusOf(instanceId: string): Promise<OrchestrationStatus | undefined> {
  return (await client.getOrchestrationState(instanceId))?.runtimeStatus;
}

describe.each(["python", "javascript"])("Microsoft's SDK for %s", (language) => {
  test("runs activities one after the other, and shows a custom status", async () => {
    const state = await end(await client.scheduleNewOrchestration(`${language}_chain`, 4));
    expect(state).toMatchObject({
      name: `${language}_chain`,
      serializedInput: "4",
      serializedOutput: "7",
      serializedCustomStatus: '"adding"',
    });
  });

  test("runs a hundred at once", async () => {
    expect(await output(`${language}_fan_out`, 100)).toBe(5050);
  });

  test("runs timers, children and continues as new", async () => {
    const [nap, child, count] = await Promise.all([
      output(`${language}_nap`, 0.2),
      output(`${language}_parent`, 1),
      output(`${language}_countdown`, 4),
    ]);
    expect([nap, child, count]).toEqual(["woke", 4, "done"]);
  });

  test("takes events, also while suspended", async () => {
    const instanceId = await startWaiting(language);
    await client.suspendOrchestration(instanceId);
    expect(await statusOf(instanceId)).toBe(OrchestrationStatus.SUSPENDED);
    await client.raiseOrchestrationEvent(instanceId, "answer", { of: 42 });
    await client.resumeOrchestration(instanceId);
    const { serializedOutput = "" } = await end(instanceId);
    expect(JSON.parse(serializedOutput)).toEqual({ of: 42 });
  });

  test("is terminated with an output, and purged", async () => {
    const instanceId = await startWaiting(language);
    await client.terminateOrchestration(instanceId, "enough");
    const state = await end(instanceId);
    expect(state.runtimeStatus).toBe(OrchestrationStatus.TERMINATED);
    expect(state.serializedOutput).toBe('"enough"');
    expect((await client.purgeOrchestration(instanceId))?.deletedInstanceCount).toBe(1);
    expect(await statusOf(instanceId)).toBeUndefined();
  });

  test("fails, and retries, with its failure's text", async () => {
    const state = await end(
      await client.scheduleNewOrchestration(`${language}_failing`, "no luck"),
    );
    expect(state.runtimeStatus).toBe(OrchestrationStatus.FAILED);
    expect(state.failureDetails?.message).toContain("no luck");
    expect(await output(`${language}_retried`, "no luck")).toContain("in vain: no luck");
  });

  test("calls activities of the other language, and fails those that nobody has", async () => {
    const other = language === "python" ? "javascript" : "python";
    expect(await output(`${language}_calls`, `${other}_add_one`)).toBe(42);
    const state = await end(await client.scheduleNewOrchestration(`${language}_calls`, "nobodys"));
    expect(state.failureDetails?.message).toMatch(/'nobodys' (was not|is not) registered/);
  });
});

test("a start is delayed by its time, and a taken id is refused", async () => {
  const start = (delayMs: number) =>
    client.scheduleNewOrchestration("javascript_chain", 1, {
      startAt: new Date(Date.now() + delayMs),
    });
  const instanceId = await start(3_600_000);
  const soon = await start(1000);
  expect((await end(soon)).serializedOutput).toBe("4");
  expect(await statusOf(instanceId)).toBe(OrchestrationStatus.PENDING);
  const again = client.scheduleNewOrchestration("javascript_chain", 1, { instanceId });
  await expect(again).rejects.toThrow(/already exists/);
});

test("a retry policy of the Python SDK, whose tries have one number, is followed to its end", async () => {
  expect(await output("python_policy", "no luck")).toBe("3 tries");
  const state = await end(await client.scheduleNewOrchestration("python_given_up", "no luck"));
  expect(state.runtimeStatus).toBe(OrchestrationStatus.FAILED);
  expect(state.failureDetails?.message).toContain("no luck");
});

test("what only Microsoft's service has is not implemented, and is said so", async () => {
  await expect(client.listInstanceIds()).rejects.toMatchObject({ code: 12 });
  await expect(client.rewindInstance("a", "why")).rejects.toThrow(/rewind|unknown method/i);
});
