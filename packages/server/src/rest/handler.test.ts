// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { RestServer } from "./handler.js";
import { type RestHandler, RestRouter } from "./router.js";

const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };

/** Serves one route; resolves with its address. */
async function serve(handle: RestHandler): Promise<string> {
  const route = { method: "GET", pattern: "/v1.0/a", operation: "health", handle } as const;
  const server = createServer(new RestServer(new RestRouter([route]), log, 1024).handle);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1.0/a`;
}

test("answers that a reply cannot be sent when it cannot be written down", async () => {
  const body = {
    toJSON(): never {
      throw new RangeError("Invalid string length");
    },
  };
  const url = await serve(() => ({ status: 200, body }));
  const answer = await fetch(url);
  expect(answer.status).toBe(500);
  expect(await answer.json()).toEqual({
    errorCode: "ERROR",
    message: "internal error; see the server's log",
  });
  expect(log.error).toHaveBeenCalledOnce();
});

test("reads nothing of a stream for a caller that has left", async () => {
  const begun = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const read = vi.fn();
  const stream = {
    [Symbol.asyncIterator]() {
      read();
      return { next: async () => ({ done: true, value: undefined }) as const };
    },
  };
  const url = await serve(async ({ request, signal }) => {
    request.resume();
    begun.resolve();
    await once(signal, "abort");
    setImmediate(answered.resolve);
    return { status: 200, stream };
  });
  const request = get(url).on("error", () => {});
  await begun.promise;
  request.destroy();
  await answered.promise;
  expect(read).not.toHaveBeenCalled();
});
