// SPDX-License-Identifier: Apache-2.0

import { Code } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { Instance } from "@pawl/engine";
import {
  CallService,
  ErrorDetailSchema,
  limits,
  type UnaryAnswer,
  WorkflowService,
} from "@pawl/protocol";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { PawlServer } from "../src/index.js";
import { CallStreamByHand, errorOf } from "./call-transport.js";
import { fakeEngine } from "./fake-engine.js";
import { startServer } from "./test-server.js";

const { startInstance, getInstance, waitForInstanceCompletion, raiseEvent, watchInstance } =
  WorkflowService.method;

/** A busy machine takes longer than a second for what is done at once. */
const busy = { timeout: 20_000 };

function openStream(server: PawlServer, header?: HeadersInit): CallStreamByHand {
  const stream = new CallStreamByHand(createGrpcTransport({ baseUrl: server.url }), header);
  onTestFinished(() => stream.leave());
  return stream;
}

/** "OK", or the error code that an answer has. */
function codeOf(answer: UnaryAnswer | undefined): string | undefined {
  if (answer?.result.case !== "error") return answer?.result.case && "OK";
  return errorOf(answer.result.value).findDetails(ErrorDetailSchema)[0]?.code;
}

/** An engine in which every wait lasts until it is given up. */
function waitingEngine(more: Parameters<typeof fakeEngine>[0] = {}) {
  let waiting = 0;
  const wait = (_id: string, { signal }: { signal?: AbortSignal } = {}): Promise<Instance> => {
    waiting += 1;
    return new Promise((_resolve, reject) => {
      const giveUp = (): void => {
        waiting -= 1;
        reject(signal?.reason);
      };
      // On a busy machine the call's time is over before it gets here.
      if (signal?.aborted) giveUp();
      else signal?.addEventListener("abort", giveUp);
    });
  };
  const engine = fakeEngine({ waitForCompletion: wait, ...more });
  return { engine, waiting: () => waiting };
}

describe("a stream of calls", () => {
  test("begins with a message that says so", async () => {
    const stream = openStream(await startServer());

    expect((await stream.nextMessage())?.answers).toEqual([]);
  });

  test("answers each call as soon as it has an answer", async () => {
    const server = await startServer();
    const stream = openStream(server);

    stream.call(1, waitForInstanceCompletion, { instanceId: "a" });
    stream.call(2, startInstance, { instanceId: "a", workflow: "order" });
    expect(await stream.next()).toMatchObject({ number: 2, result: { case: "response" } });
    await server.engine.terminate("a");

    expect(await stream.next()).toMatchObject({ number: 1, result: { case: "response" } });
  });

  test("carries out the calls of one message in their order", async () => {
    const names: string[] = [];
    const engine = fakeEngine({
      async raiseEvent(_id, name) {
        names.push(name);
      },
    });
    const stream = openStream(await startServer({ engine }));
    const wanted = Array.from({ length: 100 }, (_, index) => `event-${index}`);

    for (const [index, name] of wanted.entries()) {
      stream.call(index, raiseEvent, { instanceId: "a", name });
    }
    for (const _ of wanted) await stream.next();

    expect(names).toEqual(wanted);
  });

  test("does not put its calls into its own trace", async () => {
    const traces: unknown[] = [];
    const engine = fakeEngine({
      async start({ traceParent }) {
        traces.push(traceParent);
        return { instanceId: "a", executionId: "b" };
      },
    });
    const own = "00-11111111111111111111111111111111-1111111111111111-01";
    const given = "00-22222222222222222222222222222222-2222222222222222-01";
    const stream = openStream(await startServer({ engine }), { traceparent: own });

    stream.call(1, startInstance, { workflow: "order" });
    stream.call(2, startInstance, { workflow: "order", traceParent: given });
    await stream.next();
    await stream.next();

    expect(traces).toEqual([undefined, given]);
  });

  test("takes a number again that has its answer", async () => {
    const stream = openStream(await startServer());

    for (let round = 0; round < 3; round += 1) {
      stream.call(0, getInstance, { instanceId: "nobody" });
      expect(codeOf(await stream.next())).toBe("INSTANCE_NOT_FOUND");
    }
  });

  test("fails when a number is used twice at once", async () => {
    const { engine, waiting } = waitingEngine();
    const stream = openStream(await startServer({ engine }));

    stream.call(5, waitForInstanceCompletion, { instanceId: "a" });
    stream.call(5, waitForInstanceCompletion, { instanceId: "b" });

    await expect(stream.next()).rejects.toMatchObject({ code: Code.InvalidArgument });
    expect(waiting()).toBe(0);
  });

  test("fails when a message has more calls than it takes, before it begins any", async () => {
    const { engine, waiting } = waitingEngine();
    const stream = openStream(await startServer({ engine }));
    const { name, parent } = waitForInstanceCompletion;
    const method = `${parent.typeName}/${name}`;
    const count = 2 * limits.callsPerStream + 1;

    stream.send({ calls: Array.from({ length: count }, (_, number) => ({ number, method })) });

    await expect(stream.next()).rejects.toMatchObject({ code: Code.InvalidArgument });
    expect(waiting()).toBe(0);
  });

  test("gives a call up that is cancelled, and no other", async () => {
    const { engine, waiting } = waitingEngine();
    const stream = openStream(await startServer({ engine }));

    stream.call(1, waitForInstanceCompletion, { instanceId: "a" });
    stream.call(2, waitForInstanceCompletion, { instanceId: "b" });
    stream.send({ cancelledNumbers: [2, 99] });
    const answer = await stream.next();

    expect([answer?.number, codeOf(answer)]).toEqual([2, "CANCELLED"]);
    expect(waiting()).toBe(1);
  });

  test("gives a call up when its time is over", async () => {
    const { engine, waiting } = waitingEngine();
    const stream = openStream(await startServer({ engine }));

    stream.call(1, waitForInstanceCompletion, { instanceId: "a" }, 20);

    expect(codeOf(await stream.next())).toBe("DEADLINE_EXCEEDED");
    expect(waiting()).toBe(0);
  });

  test("gives every call up when the client hangs up", async () => {
    const { engine, waiting } = waitingEngine();
    const stream = openStream(await startServer({ engine }));

    for (let number = 0; number < 10; number += 1) {
      stream.call(number, waitForInstanceCompletion, { instanceId: "a" });
    }
    await vi.waitFor(() => expect(waiting()).toBe(10), busy);
    stream.leave();

    await vi.waitFor(() => expect(waiting()).toBe(0), busy);
  });

  test("ends well behind the last answer when the client sends no more", async () => {
    const server = await startServer();
    const stream = openStream(server);

    stream.call(1, waitForInstanceCompletion, { instanceId: "a" });
    stream.end();
    await server.engine.start({ workflow: "order", instanceId: "a" });
    await server.engine.terminate("a");

    expect(codeOf(await stream.next())).toBe("OK");
    expect(await stream.next()).toBeUndefined();
  });
});

describe("a server that stops", () => {
  test("answers every call that it took, and ends the stream well", async () => {
    let stored: (() => void) | undefined;
    const { engine, waiting } = waitingEngine({
      start: () =>
        new Promise((resolve) => {
          stored = () => resolve({ instanceId: "b", executionId: "c" });
        }),
    });
    const server = await startServer({ engine, shutdownGraceMs: 20_000 });
    const stream = openStream(server);
    stream.call(1, waitForInstanceCompletion, { instanceId: "a" });
    stream.call(2, startInstance, { instanceId: "b", workflow: "order" });
    await vi.waitFor(() => expect([waiting(), stored !== undefined]).toEqual([1, true]), busy);

    const closed = server.close();
    const first = await stream.next();
    expect([first?.number, codeOf(first)]).toEqual([1, "SHUTTING_DOWN"]);
    stored?.();
    const second = await stream.next();

    expect([second?.number, codeOf(second)]).toEqual([2, "OK"]);
    expect(await stream.next()).toBeUndefined();
    await closed;
  });
});

describe("a call on a stream", () => {
  test.each([
    ["an unknown method", "pawl.v1.WorkflowService/Nothing"],
    ["no method", ""],
    ["a streaming method", `pawl.v1.WorkflowService/${watchInstance.name}`],
    ["the stream itself", `pawl.v1.CallService/${CallService.method.call.name}`],
    ["a service of others", "TaskHubSidecarService/GetInstance"],
  ])("to %s is UNIMPLEMENTED", async (_what, method) => {
    const stream = openStream(await startServer());

    stream.send({ calls: [{ number: 1, method }] });

    expect(codeOf(await stream.next())).toBe("UNIMPLEMENTED");
  });

  test("fails by itself when its request is none", async () => {
    const stream = openStream(await startServer());
    const method = `pawl.v1.WorkflowService/${getInstance.name}`;

    stream.send({ calls: [{ number: 1, method, request: new Uint8Array([0xff, 0xff]) }] });
    expect(codeOf(await stream.next())).toBe("MALFORMED_REQUEST");
    stream.call(2, getInstance, { instanceId: "a" });
    expect(codeOf(await stream.next())).toBe("INSTANCE_NOT_FOUND");
  });

  test("fails by itself when its request is too large", async () => {
    const stream = openStream(await startServer());

    const input = "x".repeat(limits.requestBytes);
    stream.call(1, startInstance, { workflow: "order", input });
    expect(codeOf(await stream.next())).toBe("PAYLOAD_TOO_LARGE");
    stream.call(2, getInstance, { instanceId: "a" });
    expect(codeOf(await stream.next())).toBe("INSTANCE_NOT_FOUND");
  });

  test("is refused when too many are under way", async () => {
    const { engine, waiting } = waitingEngine();
    const stream = openStream(await startServer({ engine }));
    const method = `pawl.v1.WorkflowService/${waitForInstanceCompletion.name}`;
    const request = new Uint8Array([0x0a, 1, 0x61]);
    const calls = Array.from({ length: limits.callsPerStream + 1 }, (_, number) => {
      return { number, method, request };
    });

    stream.send({ calls });
    const answer = await stream.next();

    expect([answer?.number, codeOf(answer)]).toEqual([10_000, "RESOURCE_EXHAUSTED"]);
    expect(waiting()).toBe(limits.callsPerStream);
    stream.send({ cancelledNumbers: [3] });
    expect(await stream.next()).toMatchObject({ number: 3 });
    stream.call(3, getInstance, { instanceId: "" });
    expect(codeOf(await stream.next())).toBe("INVALID_ARGUMENT");
  });

  test("is refused as its rules say, with the violations", async () => {
    const stream = openStream(await startServer());

    stream.call(1, startInstance, { workflow: "" });
    const answer = await stream.next();

    if (answer?.result.case !== "error") throw new Error("it was let through");
    const types = answer.result.value.details.map(({ typeUrl }) => typeUrl);
    expect(types).toContain("type.googleapis.com/buf.validate.Violations");
    expect(codeOf(answer)).toBe("INVALID_ARGUMENT");
  });
});

describe("a client that asks for more than the server can hold", () => {
  test("is not read from until calls have their answers", async () => {
    const release: (() => void)[] = [];
    const raiseSlowly = (): Promise<void> => new Promise((resolve) => release.push(resolve));
    const { engine } = waitingEngine({ raiseEvent: raiseSlowly });
    const server = await startServer({ engine });
    const stream = openStream(server);
    const input = "x".repeat(3 * 1024 * 1024);

    for (let number = 0; number < 10; number += 1) {
      stream.call(number, raiseEvent, { instanceId: "a", name: "paid", input });
    }
    // Six hold more than sixteen mebibytes.
    await vi.waitFor(() => expect(release).toHaveLength(6), busy);
    const other = openStream(server);
    other.call(1, getInstance, { instanceId: "" });
    expect(codeOf(await other.next())).toBe("INVALID_ARGUMENT");
    expect(release).toHaveLength(6);
    release[0]?.();

    expect(await stream.next()).toMatchObject({ number: 0 });
    await vi.waitFor(() => expect(release).toHaveLength(7), busy);
  });

  test("loses its stream with a message that is too large", async () => {
    const { engine, waiting } = waitingEngine();
    const stream = openStream(await startServer({ engine }));
    stream.call(1, waitForInstanceCompletion, { instanceId: "a" });
    await vi.waitFor(() => expect(waiting()).toBe(1), busy);

    stream.send({ calls: [{ number: 2, request: new Uint8Array(4 * limits.requestBytes) }] });

    await expect(stream.next()).rejects.toThrow();
    await vi.waitFor(() => expect(waiting()).toBe(0), busy);
  });
});
