// SPDX-License-Identifier: Apache-2.0

// What calls of Dapr's API wait for with --strict-dapr, on a clock that the tests move.

import { once } from "node:events";
import { connect } from "node:net";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { EngineError } from "@pawl/engine";
import { Dapr, type TaskHubSidecarService } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import type { PawlServer, ServedEngine } from "../src/index.js";
import { fakeEngine, fakeInstance } from "./fake-engine.js";
import { ManualClock } from "./manual-clock.js";
import { completed, startWorker, taskHubClient } from "./task-hub-worker.js";
import { rest, startServer } from "./test-server.js";

const noWorker =
  "failed to lookup actor: api error: code = FailedPrecondition desc = did not find address for actor";

/** A strict server, its clock, and what its engine was asked for. */
interface Strict {
  readonly server: PawlServer;
  readonly clock: ManualClock;
  readonly dapr: Client<typeof Dapr>;
  readonly hub: Client<typeof TaskHubSidecarService>;
  /** Names of the engine's methods, in the order in which they were called. */
  readonly calls: string[];
  workers: number;
}

interface Scene {
  readonly workers?: number;
  readonly strictDapr?: boolean;
  readonly engine?: Partial<ServedEngine>;
}

async function openStrict({ workers = 0, strictDapr = true, engine }: Scene = {}): Promise<Strict> {
  const calls: string[] = [];
  const done =
    <T>(name: string, answer: T) =>
    async (): Promise<T> => {
      calls.push(name);
      return answer;
    };
  const scene = { calls, workers };
  const ended = fakeInstance({ status: "completed" });
  const methods = {
    start: done("start", { instanceId: "a", executionId: "e" }),
    get: async () => ended,
    waitForStart: async () => ended,
    waitUntil: async () => ended,
    raiseEvent: done("raiseEvent", undefined),
    suspend: done("suspend", undefined),
    resume: done("resume", undefined),
    terminate: done("terminate", undefined),
    purge: done("purge", 1),
    rerun: done("rerun", { instanceId: "b", executionId: "e" }),
    workerCount: () => scene.workers,
  };
  const clock = new ManualClock();
  const served = fakeEngine({ ...methods, ...engine });
  const server = await startServer({ engine: served, strictDapr, clock });
  const dapr = createClient(Dapr, createGrpcTransport({ baseUrl: server.url }));
  return Object.assign(scene, { server, clock, dapr, hub: taskHubClient(server) });
}

/** Resolves when so many calls wait. */
async function reachWaits({ clock }: Pick<Strict, "clock">, count: number): Promise<void> {
  await expect.poll(() => clock.alarmCount(), { interval: 2, timeout: 20_000 }).toBe(count);
}

/** Lets a call wait out so many seconds, each once it waits for it. */
async function passSeconds(strict: Strict, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    await reachWaits(strict, 1);
    strict.clock.advance(1000);
  }
}

/** A failure, as much of it as every protocol has. */
interface Failed {
  readonly code: unknown;
  readonly message: string;
}

/** Answers in one form: "done", or the failure. */
type Answer = "done" | Failed;

async function ofRpc(call: Promise<unknown>): Promise<Answer> {
  try {
    await call;
    return "done";
  } catch (reason) {
    const error = ConnectError.from(reason);
    return { code: error.code, message: error.rawMessage };
  }
}

async function ofRest(
  { server }: Strict,
  path: string,
  body?: string | Uint8Array,
): Promise<Answer> {
  const { status, json } = await rest(server, "POST", `/v1.0/workflows/dapr/${path}`, body);
  const { errorCode, message } = json as { errorCode?: string; message?: string };
  return errorCode === undefined
    ? "done"
    : { code: `${status} ${errorCode}`, message: message ?? "" };
}

const bytes = new Uint8Array([0xff]);

/** A start in each of the protocols in which Dapr has one. */
const starts = {
  REST: (strict: Strict, input?: Uint8Array) => ofRest(strict, "order/start?instanceID=a", input),
  Dapr: ({ dapr }: Strict, input?: Uint8Array, options = {}) =>
    ofRpc(
      dapr.startWorkflowBeta1(
        { instanceId: "a", workflowName: "order", ...(input === undefined ? {} : { input }) },
        options,
      ),
    ),
  sidecar: ({ hub }: Strict, _input?: Uint8Array, options = {}) =>
    ofRpc(hub.startInstance({ instanceId: "a", name: "order" }, options)),
};

const failedStart = { REST: "500 ERR_START_WORKFLOW", Dapr: Code.Internal };

/** Refuses an active id so many times. */
function occupied(times: number): { engine: Partial<ServedEngine>; tries: () => number } {
  let tries = 0;
  const start = async (): Promise<{ instanceId: string; executionId: string }> => {
    tries += 1;
    if (tries > times) return { instanceId: "a", executionId: "e" };
    throw new EngineError("INSTANCE_EXISTS", "an active workflow with ID 'a' already exists");
  };
  return { engine: { start }, tries: () => tries };
}

describe.each(["REST", "Dapr"] as const)("a start that fails, over %s", (way) => {
  test("of an active id is tried for three seconds, and then fails", async () => {
    const { engine, tries } = occupied(9);
    const strict = await openStrict({ workers: 1, engine });

    const answer = starts[way](strict);
    await passSeconds(strict, 3);

    expect(await answer).toEqual({
      code: failedStart[way],
      message: expect.stringContaining("an active workflow with ID 'a' already exists"),
    });
    expect(tries()).toBe(4);
  });

  test("of an active id succeeds when the instance ends meanwhile", async () => {
    const { engine, tries } = occupied(2);
    const strict = await openStrict({ workers: 1, engine });

    const answer = starts[way](strict);
    await passSeconds(strict, 2);

    expect(await answer).toBe("done");
    expect(tries()).toBe(3);
  });

  test("of bytes that are no text is tried for three seconds, and never asks the engine", async () => {
    const strict = await openStrict();

    const answer = starts[way](strict, bytes);
    await passSeconds(strict, 3);

    expect(await answer).toEqual({
      code: failedStart[way],
      message: expect.stringMatching(/not valid UTF-8 text$/),
    });
    expect(strict.calls).toEqual([]);
  });

  test("of anything else fails at once", async () => {
    const start = async (): Promise<never> => {
      throw new EngineError("PAYLOAD_TOO_LARGE", "the input is too large");
    };
    const strict = await openStrict({ workers: 1, engine: { start } });
    expect(await starts[way](strict)).toMatchObject({
      message: expect.stringMatching(/the input is too large$/),
    });
  });

  test("fails at once without strictDapr", async () => {
    const { engine, tries } = occupied(9);
    const plain = await openStrict({ strictDapr: false, engine });
    expect(await starts[way](plain)).toMatchObject({ code: failedStart[way] });
    expect(await starts[way](plain, bytes)).toMatchObject({ code: failedStart[way] });
    expect(tries()).toBe(1);
  });
});

test("the sidecar service's start of an active id fails at once", async () => {
  const { engine, tries } = occupied(9);
  const strict = await openStrict({ workers: 1, engine });
  expect(await starts.sidecar(strict)).toMatchObject({ code: Code.AlreadyExists });
  expect(tries()).toBe(1);
});

describe.each(["REST", "Dapr", "sidecar"] as const)("a start without a worker, over %s", (way) => {
  test("is answered when one has come", async () => {
    const strict = await openStrict();

    const answer = starts[way](strict);
    await passSeconds(strict, 20);
    expect(strict.calls).toEqual([]);
    strict.workers = 1;
    await passSeconds(strict, 1);

    expect(await answer).toBe("done");
    expect(strict.calls).toEqual(["start"]);
  });

  test("ends with the server", async () => {
    const strict = await openStrict();

    const answer = starts[way](strict);
    await reachWaits(strict, 1);
    await strict.server.close();

    const code = way === "REST" ? failedStart.REST : Code.Unavailable;
    const message = expect.stringMatching(/the server is stopping$|^shutting down$/);
    expect(await answer).toEqual({ code, message });
    expect([strict.clock.alarmCount(), strict.calls]).toEqual([0, []]);
  });

  test("is stored at once without strictDapr", async () => {
    const plain = await openStrict({ strictDapr: false });
    expect(await starts[way](plain)).toBe("done");
    expect(plain.calls).toEqual(["start"]);
  });
});

describe("a start whose caller gives up stores nothing", () => {
  /** The wait is over, and a worker that comes makes no difference. */
  async function expectOver(strict: Strict): Promise<void> {
    await reachWaits(strict, 0);
    strict.workers = 1;
    strict.clock.advance(10_000);
    // A call that comes after it has its answer: the first had its chance.
    expect(await starts.REST(strict)).toBe("done");
    expect(strict.calls).toEqual(["start"]);
  }

  test.each(["Dapr", "sidecar"] as const)("over %s", async (way) => {
    const strict = await openStrict();
    const abort = new AbortController();
    const answer = starts[way](strict, undefined, { signal: abort.signal });
    await reachWaits(strict, 1);
    abort.abort();
    expect(await answer).toMatchObject({ code: Code.Canceled });
    await expectOver(strict);
  });

  test.each(["Dapr", "sidecar"] as const)("over %s, by its deadline", async (way) => {
    const strict = await openStrict();
    const answer = starts[way](strict, undefined, { timeoutMs: 200 });
    expect(await answer).toMatchObject({ code: Code.DeadlineExceeded });
    // On a busy machine the call may come after that; it waits out its time then, and no worker comes.
    await reachWaits(strict, 0);
    expect(strict.calls).toEqual([]);
  });

  test.each(["destroy", "end"] as const)("over HTTP/1.1, by %s of its connection", async (how) => {
    const strict = await openStrict();
    const socket = connect(strict.server.port, "127.0.0.1");
    await once(socket, "connect");
    const path = "/v1.0/workflows/dapr/order/start";
    socket.write(`POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n`);
    await reachWaits(strict, 1);
    socket[how]();
    await expectOver(strict);
    socket.destroy();
  });
});

interface Command {
  readonly name: string;
  readonly method: string;
  readonly send: (strict: Strict) => Promise<Answer>;
  readonly code: unknown;
  readonly message: string;
}

const failed = (operation: string) => `500 ERR_${operation}_WORKFLOW`;
const raising = `error raising event on workflow 'a': failed to raise event e on workflow a: failed to raise event: ${noWorker}`;
const terminating = `error terminating workflow 'a': failed to terminate workflow a: failed to submit termination request:: ${noWorker}`;
const a = { instanceId: "a" };
const sidecar = { code: Code.FailedPrecondition, message: noWorker };

// biome-ignore format: one line per command
const commands: Command[] = [
  { name: "REST raiseEvent",  method: "raiseEvent", send: (strict) => ofRest(strict, "a/raiseEvent/e"), code: failed("RAISE_EVENT"), message: raising },
  { name: "REST terminate",   method: "terminate",  send: (strict) => ofRest(strict, "a/terminate"),    code: failed("TERMINATE"),   message: terminating },
  { name: "REST pause",       method: "suspend",    send: (strict) => ofRest(strict, "a/pause"),        code: failed("PAUSE"),       message: `error pausing workflow a: failed to pause workflow a: failed to suspend workflow: ${noWorker}` },
  { name: "REST resume",      method: "resume",     send: (strict) => ofRest(strict, "a/resume"),       code: failed("RESUME"),      message: `error resuming workflow a: failed to resume workflow a: failed to resume workflow: ${noWorker}` },
  { name: "REST purge",       method: "purge",      send: (strict) => ofRest(strict, "a/purge"),        code: failed("PURGE"),       message: `error purging workflow a: failed to Purge workflow a: failed to purge workflow state: ${noWorker}` },
  { name: "Dapr RaiseEvent",  method: "raiseEvent", send: ({ dapr }) => ofRpc(dapr.raiseEventWorkflowBeta1({ ...a, eventName: "e" })), code: Code.Internal, message: raising },
  { name: "Dapr Terminate",   method: "terminate",  send: ({ dapr }) => ofRpc(dapr.terminateWorkflowAlpha1(a)), code: Code.Internal, message: terminating },
  { name: "sidecar RaiseEvent", method: "raiseEvent", send: ({ hub }) => ofRpc(hub.raiseEvent({ ...a, name: "e" })), ...sidecar },
  { name: "sidecar Suspend",  method: "suspend",    send: ({ hub }) => ofRpc(hub.suspendInstance(a)),   ...sidecar },
  { name: "sidecar Resume",   method: "resume",     send: ({ hub }) => ofRpc(hub.resumeInstance(a)),    ...sidecar },
  { name: "sidecar Rerun",    method: "rerun",      send: ({ hub }) => ofRpc(hub.rerunWorkflowFromEvent({ sourceInstanceID: "a" })), ...sidecar },
  { name: "sidecar Terminate", method: "terminate", send: ({ hub }) => ofRpc(hub.terminateInstance(a)), ...sidecar, message: `failed to submit termination request: ${noWorker}` },
  { name: "sidecar Purge",    method: "purge",      send: ({ hub }) => ofRpc(hub.purgeInstances({ request: { case: "instanceId", value: "a" } })), ...sidecar, message: `failed to purge workflow state: ${noWorker}` },
];

describe.each(commands)("$name without a worker", ({ method, send, code, message }) => {
  test("fails after five seconds, and does nothing", async () => {
    const strict = await openStrict();
    const answer = send(strict);
    await passSeconds(strict, 5);
    expect(await answer).toEqual({ code, message });
    expect(strict.calls).toEqual([]);
  });

  test("is done when one comes meanwhile", async () => {
    const strict = await openStrict();
    const answer = send(strict);
    await passSeconds(strict, 4);
    strict.workers = 1;
    await passSeconds(strict, 1);
    expect(await answer).toBe("done");
    expect(strict.calls).toEqual([method]);
  });

  test("is done at once without strictDapr", async () => {
    const plain = await openStrict({ strictDapr: false });
    expect(await send(plain)).toBe("done");
    expect(plain.calls).toEqual([method]);
  });
});

test("what needs no worker in Dapr is answered at once: reading, and a purge by force", async () => {
  const { server, dapr, hub, calls } = await openStrict();
  expect(await rest(server, "GET", "/v1.0/workflows/dapr/a")).toMatchObject({ status: 200 });
  expect(await dapr.getWorkflowBeta1(a)).toMatchObject({ runtimeStatus: "COMPLETED" });
  expect(await hub.getInstance(a)).toMatchObject({ exists: true });
  await hub.purgeInstances({ request: { case: "instanceId", value: "a" }, force: true });
  expect(calls).toEqual(["purge"]);
});

test.each([
  ["raiseEvent", (hub: Strict["hub"]) => hub.raiseEvent({ ...a, name: "e" }), ""],
  [
    "purge",
    (hub: Strict["hub"]) => hub.purgeInstances({ request: { case: "instanceId", value: "a" } }),
    "failed to purge workflow state: ",
  ],
])("the sidecar service's %s of a stalled instance is refused", async (_name, send, prefix) => {
  const get = async () => fakeInstance({ status: "stalled" });
  const { hub, calls } = await openStrict({ workers: 1, engine: { get } });
  const message = `${prefix}workflow is stalled`;
  expect(await ofRpc(send(hub))).toEqual({ code: Code.Unknown, message });
  expect(calls).toEqual([]);
});

describe("a worker of any kind ends the wait", () => {
  const start = (server: PawlServer) =>
    rest(server, "POST", "/v1.0/workflows/dapr/order/start?instanceID=a");

  async function openReal(): Promise<{ server: PawlServer; clock: ManualClock }> {
    const clock = new ManualClock();
    return { server: await startServer({ strictDapr: true, clock }), clock };
  }

  test("one of the sidecar service", async () => {
    const { server, clock } = await openReal();
    const answer = start(server);
    await reachWaits({ clock }, 1);
    expect(await server.engine.get("a")).toBeUndefined();

    startWorker(server, { turn: () => [completed("1")] });
    await expect.poll(() => server.engine.workerCount(), { timeout: 20_000 }).toBe(1);
    clock.advance(1000);

    expect(await answer).toMatchObject({ status: 202, json: { instanceID: "a" } });
    expect(await server.engine.waitForCompletion("a")).toMatchObject({ status: "completed" });
  });

  test("one in the server's process", async () => {
    const { server } = await openReal();
    const session = server.engine.connectWorker({ name: "local" }, () => {});
    expect(await start(server)).toMatchObject({ status: 202 });
    session.close();
  });
});
