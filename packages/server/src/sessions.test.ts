// SPDX-License-Identifier: Apache-2.0

import { connect, createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Sessions } from "./sessions.js";

let server: Http2Server;

beforeEach(async () => {
  server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
});

afterEach(async () => {
  vi.useRealTimers();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
});

/** A session of the server, with a client on its other end. */
async function openSession(): Promise<{ session: ServerHttp2Session; disconnect: () => void }> {
  const accepted = new Promise<ServerHttp2Session>((resolve) => {
    server.once("session", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const client = connect(`http://127.0.0.1:${port}`);
  const session = await accepted;
  return { session, disconnect: () => client.destroy() };
}

describe("Sessions", () => {
  test("leaves a session alone that is destroyed and has not closed yet", async () => {
    const { session, disconnect } = await openSession();
    const closed = new Promise<void>((resolve) => {
      session.once("close", resolve);
    });
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const sessions = new Sessions({ pingIntervalMs: 10, idleTimeoutMs: 60_000 });
    sessions.add(session);
    const ping = vi.spyOn(session, "ping");
    vi.advanceTimersByTime(10);
    expect(ping).toHaveBeenCalledTimes(1);
    session.destroy();
    // Node would throw on a ping now, outside of any call that could catch it.
    vi.advanceTimersByTime(10);
    expect(ping).toHaveBeenCalledTimes(1);
    disconnect();
    await closed;
  });
});
