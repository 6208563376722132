// SPDX-License-Identifier: Apache-2.0

// What REST calls that wait get from a server that stops. Its grace is longer than a test may take, so that a
// call that is not ended keeps the test from ending.

import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { EngineError, type InstanceChange } from "@pawl/engine";
import { expect, test, vi } from "vitest";
import type { PawlServer } from "../src/index.js";
import { fakeEngine, fakeInstance } from "./fake-engine.js";
import { rest, startServer } from "./test-server.js";

/** Rejects as the engine does once the signal is aborted; `begun` is called first. */
async function untilGivenUp(signal: AbortSignal | undefined, begun: () => void): Promise<never> {
  begun();
  await once(signal ?? new EventTarget(), "abort");
  throw new EngineError("CANCELLED", "the caller gave up waiting");
}

/** A server on which every wait and watch goes on until it is given up, and how many do. */
async function startWaitingServer(): Promise<{ server: PawlServer; waiting: () => number }> {
  let waiting = 0;
  const begun = (): void => {
    waiting += 1;
  };
  const instance = fakeInstance();
  const engine = fakeEngine({
    start: async () => ({ instanceId: "a", executionId: "e" }),
    get: async () => instance,
    waitForCompletion: (_id, options) => untilGivenUp(options?.signal, begun),
    async *watch(_id, { signal } = {}): AsyncGenerator<InstanceChange> {
      yield { instance, restarted: false, resumeToken: "t" };
      await untilGivenUp(signal, begun);
    },
    // biome-ignore lint/correctness/useYield: nothing changes
    async *watchAll(_filter, { signal } = {}) {
      await untilGivenUp(signal, begun);
    },
  });
  const server = await startServer({ engine, shutdownGraceMs: 600_000 });
  return { server, waiting: () => waiting };
}

const prefer = { prefer: "wait=100" };

test.each([
  ["a wait is answered with what is known", "GET", "/dapr/a/wait?timeout=100", {}, 202],
  ["a start that waits is answered as accepted", "POST", "/order/a/start", prefer, 202],
  ["a watch without a change yet is refused", "GET", "/dapr?watch=true", {}, 503],
])("when the server stops %s", async (_what, method, path, headers, status) => {
  const { server, waiting } = await startWaitingServer();
  const answer = rest(server, method, `/v1.0/workflows${path}`, undefined, headers);
  await vi.waitFor(() => expect(waiting()).toBe(1), 20_000);

  await server.close();

  expect((await answer).status).toBe(status);
});

test("when the server stops a watch is broken off, so that its reader comes back", async () => {
  const { server, waiting } = await startWaitingServer();
  const request = get(`${server.url}/v1.0/workflows/dapr/a/watch`);
  const [response]: [IncomingMessage] = (await once(request, "response")) as [IncomingMessage];
  const ended = new Promise<void>((resolve) => void response.once("close", resolve));
  response.on("error", () => {}).resume();
  await vi.waitFor(() => expect(waiting()).toBe(1), 20_000);

  await server.close();
  await ended;

  expect(response.complete).toBe(false);
});
