// SPDX-License-Identifier: Apache-2.0

// What a peer may do to a server, over its real protocols, and that others do not feel it.

import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
} from "node:http2";
import { connect, type Socket } from "node:net";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Health, WorkerService } from "@pawl/protocol";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { PawlServer, ServedEngine } from "../src/index.js";
import { fakeEngine, fakeInstance } from "./fake-engine.js";
import { rest, startServer } from "./test-server.js";

/** Serves one instance with an output of so many bytes. */
function engineWith(outputBytes: number): ServedEngine {
  const output = `"${"x".repeat(outputBytes)}"`;
  return fakeEngine({ get: async () => fakeInstance({ status: "completed", output }) });
}

const largeBytes = 3_600_000;
const engine = engineWith(largeBytes);

/** Waits for no reader. */
const impatient = { stallTimeoutMs: 100, readerBytesPerSecond: 1e9 };
const getPath = "/v1.0/workflows/dapr/a";

function openSocket({ port }: PawlServer): Socket {
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

function openSession({ url }: PawlServer, windowBytes?: number): ClientHttp2Session {
  const settings =
    windowBytes === undefined ? {} : { settings: { initialWindowSize: windowBytes } };
  const session = connectHttp2(url, settings);
  session.on("error", () => {});
  onTestFinished(() => session.destroy());
  return session;
}

function request(session: ClientHttp2Session, headers: Record<string, string>): ClientHttp2Stream {
  const stream = session.request(headers, { endStream: headers[":method"] !== "POST" });
  stream.on("error", () => {});
  return stream;
}

async function closed(stream: ClientHttp2Stream): Promise<void> {
  await new Promise<void>((resolve) => stream.once("close", () => resolve()));
}

async function expectHealthy(server: PawlServer): Promise<void> {
  expect((await rest(server, "GET", "/v1.0/healthz")).status).toBe(204);
}

describe("a peer that is slow", () => {
  test("to read an HTTP/1.1 answer loses its connection", async () => {
    // One connection has room: another gets in once this one is gone.
    // The answer is more than the system keeps in its buffers for a connection.
    const hugeBytes = 50_000_000;
    const listen = { ...impatient, connections: 1 };
    const server = await startServer({ engine: engineWith(hugeBytes), listen });
    const socket = openSocket(server);
    socket.write(`GET ${getPath} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    await once(socket, "data");
    socket.pause();

    await vi.waitFor(() => expectHealthy(server), 10_000);
    let bytes = 0;
    for await (const chunk of socket) bytes += (chunk as Buffer).length;
    expect(bytes).toBeLessThan(hugeBytes);
  });

  test("to read an HTTP/2 answer loses its stream, and its other streams go on", async () => {
    const server = await startServer({ engine, listen: impatient });
    const session = openSession(server, 1024);
    const slow = request(session, { ":path": getPath });
    slow.pause();
    await closed(slow);
    expect(slow.rstCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);

    const quick = request(session, { ":path": "/v1.0/healthz" });
    const [headers] = await once(quick, "response");
    expect(headers[":status"]).toBe(204);
  });

  test("but reads all the time gets its answer", async () => {
    // Alone, the time to begin would not be enough for this answer.
    const server = await startServer({ engine, listen: { stallTimeoutMs: 10 } });
    const session = openSession(server, 65_536);
    const stream = request(session, { ":path": getPath });
    let bytes = 0;
    for await (const chunk of stream) bytes += (chunk as Buffer).length;
    expect(bytes).toBeGreaterThan(largeBytes);
  });

  test.each([
    ["application/grpc", "/pawl.v1.WorkflowService/GetInstance"],
    ["application/proto", "/pawl.v1.WorkflowService/GetInstance"],
    ["application/json", "/v1.0/workflows/dapr/order/start"],
  ])("to send an HTTP/2 request of %s loses its stream", async (type, path) => {
    const server = await startServer({ engine, listen: { requestTimeoutMs: 100 } });
    const session = openSession(server);
    const stream = request(session, { ":method": "POST", ":path": path, "content-type": type });
    stream.write("\0");
    await closed(stream);
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    await expectHealthy(server);
  });

  test("to send an HTTP/1.1 body is answered 408", async () => {
    const listen = { requestTimeoutMs: 200, headersTimeoutMs: 100 };
    const server = await startServer({ engine, listen });
    const socket = openSocket(server);
    const head =
      "POST /v1.0/workflows/dapr/order/start HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nx";
    socket.write(head);
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("is not a worker whose stream says nothing", async () => {
    const server = await startServer({ listen: { requestTimeoutMs: 50, stallTimeoutMs: 50 } });
    const stop = new AbortController();
    const workers = createClient(WorkerService, createGrpcTransport({ baseUrl: server.url }));
    const requests = (async function* () {
      yield { announcement: { name: "w", workflows: ["order"] } };
      await new Promise(() => {});
    })();
    const work = workers.work(requests, { signal: stop.signal })[Symbol.asyncIterator]();
    await work.next();
    const next = work.next();
    next.catch(() => {});

    // Another request that does not go on is dropped meanwhile.
    const headers = { ":method": "POST", ":path": "/v1.0/workflows/dapr/order/start" };
    await closed(request(openSession(server), headers));
    await server.engine.start({ workflow: "order" });

    expect((await next).value?.turns).toHaveLength(1);
    stop.abort();
  });

  test("to ask anything is sent away, and not while it asks", async () => {
    const server = await startServer({ listen: { idleTimeoutMs: 100 } });
    const idle = openSession(server);
    const busy = openSession(server);
    const watch = request(busy, {
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Watch",
      "content-type": "application/grpc",
    });
    watch.end(Buffer.alloc(5));
    await once(watch, "response");

    await once(idle, "close");
    expect(busy.closed).toBe(false);
  });
});

describe("headers", () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, at) => [`x-${at}`, "1"] as const);

  test("are let in up to their number, and not above it", async () => {
    const server = await startServer({ listen: { headerCount: 50 } });
    const send = (count: number) =>
      rest(server, "GET", "/v1.0/healthz", "", Object.fromEntries(many(count)));
    expect((await send(40)).status).toBe(204);
    expect((await send(60)).status).toBe(431);

    const session = openSession(server);
    const few = request(session, { ":path": "/v1.0/healthz", ...Object.fromEntries(many(40)) });
    expect((await once(few, "response"))[0][":status"]).toBe(204);
    const over = request(session, { ":path": "/v1.0/healthz", ...Object.fromEntries(many(60)) });
    expect((await once(over, "response"))[0][":status"]).toBe(431);
  });

  test("are let in up to their bytes, and not above them", async () => {
    const server = await startServer({ listen: { headerBytes: 4096 } });
    const value = "x".repeat(5000);
    expect((await rest(server, "GET", "/v1.0/healthz", "", { "x-a": value })).status).toBe(431);
    const over = request(openSession(server), { ":path": "/v1.0/healthz", "x-a": value });
    expect((await once(over, "response"))[0][":status"]).toBe(431);
    await expectHealthy(server);
  });
});

describe("a peer that breaks off while it is refused does no harm", () => {
  const large = { "x-a": "x".repeat(2000) };
  const grpc = { "content-type": "application/grpc" };
  const page = { origin: "https://a.com", "access-control-request-method": "POST" };

  test.each([
    ["for large headers", { ":method": "POST", ":path": "/v1.0/healthz", ...large }],
    ["for its token, over REST", { ":method": "POST", ":path": getPath }],
    [
      "for its token, over gRPC",
      { ":method": "POST", ":path": "/TaskHubSidecarService/Hello", ...grpc },
    ],
    [
      "for its token, on a stream",
      { ":method": "POST", ":path": "/pawl.v1.WorkerService/Work", ...grpc },
    ],
    ["or asks for a page", { ":method": "OPTIONS", ":path": getPath, ...page }],
  ])("%s", async (_title, headers) => {
    const listen = { headerBytes: 1024 };
    const server = await startServer({ listen, apiToken: "x", corsOrigins: ["https://a.com"] });
    const session = openSession(server);
    await once(session, "connect");
    const streams = Array.from({ length: 20 }, () => request(session, { ...headers }));
    await Promise.all(
      streams.map(async (stream) => {
        const ended = closed(stream);
        stream.close(constants.NGHTTP2_INTERNAL_ERROR);
        await ended;
      }),
    );
    // And a connection that goes as a whole.
    const last = openSession(server);
    await once(last, "connect");
    request(last, { ...headers });
    last.destroy();
    await expectHealthy(server);
  });
});

describe("a flood", () => {
  test("of calls that are taken back at once costs its sender the connection, and others nothing", async () => {
    const server = await startServer({ listen: { resetBurst: 100, resetsPerSecond: 1 } });
    const health = createClient(Health, createGrpcTransport({ baseUrl: server.url }));
    const session = openSession(server);
    const goaway = once(session, "goaway");
    for (let at = 0; at < 500; at += 1) {
      const stream = request(session, { ":path": "/v1.0/healthz" });
      stream.close(constants.NGHTTP2_CANCEL);
    }
    await goaway;
    expect((await health.check({})).status).toBe(1);
  });

  test("of streams on one connection is held to its number", async () => {
    const server = await startServer({ listen: { streamsPerConnection: 5 } });
    const session = openSession(server);
    await once(session, "remoteSettings");
    expect(session.remoteSettings.maxConcurrentStreams).toBe(5);
  });

  test.each(["connections", "connectionsPerAddress"])(
    "%s is held to its number, and room is made again",
    async (limit) => {
      const server = await startServer({ listen: { [limit]: 3 } });
      const held = [openSocket(server), openSocket(server), openSocket(server)];
      await Promise.all(held.map((socket) => once(socket, "connect")));
      const over = openSocket(server);
      await once(over, "close");
      for (const socket of held) socket.destroy();
      await vi.waitFor(() => expectHealthy(server), 20_000);
    },
  );
});
