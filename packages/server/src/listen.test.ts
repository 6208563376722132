// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { get } from "node:http";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { ListenLimits } from "./limit/listen-limits.js";
import { type HttpHandler, Listener } from "./listen.js";

const host = "127.0.0.1";
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
const emptySettings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

const answerVersion: HttpHandler = (request, response) => {
  request.resume();
  response.end(`HTTP/${request.httpVersion}`);
};

const open: { listeners: Listener[]; sockets: Socket[]; sessions: ClientHttp2Session[] } = {
  listeners: [],
  sockets: [],
  sessions: [],
};

afterEach(async () => {
  for (const socket of open.sockets.splice(0)) {
    socket.destroy();
  }
  for (const session of open.sessions.splice(0)) {
    session.destroy();
  }
  await Promise.all(open.listeners.splice(0).map((listener) => listener.close(0)));
});

async function listen(
  handler = answerVersion,
  limits: Partial<ListenLimits> = {},
): Promise<{ listener: Listener; port: number }> {
  const listener = new Listener(handler, limits);
  open.listeners.push(listener);
  return { listener, port: await listener.listen(host, 0) };
}

function openSocket(port: number): Socket {
  const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
  socket.on("error", () => {});
  open.sockets.push(socket);
  return socket;
}

/** Everything that the peer sends until it closes. */
async function readAll(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket) {
    text += String(chunk);
  }
  return text;
}

async function readHttp2(port: number): Promise<string> {
  const session = connectHttp2(`http://${host}:${port}`);
  open.sessions.push(session);
  const stream = session.request({ ":path": "/" });
  let text = "";
  for await (const chunk of stream) {
    text += String(chunk);
  }
  return text;
}

async function readHttp1(port: number): Promise<string> {
  const response = await fetch(`http://${host}:${port}/`, { headers: { connection: "close" } });
  return response.text();
}

/** Sends bytes one by one, each in a segment of its own. */
async function trickle(socket: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    socket.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("Listener", () => {
  test("serves HTTP/1.1 and HTTP/2 on the same port", async () => {
    const { port } = await listen();

    expect(await readHttp1(port)).toBe("HTTP/1.1");
    expect(await readHttp2(port)).toBe("HTTP/2.0");
  });

  test("serves the same handler on a second port", async () => {
    const { listener } = await listen();
    const second = await listener.listen(host, 0);

    expect(await readHttp1(second)).toBe("HTTP/1.1");
  });

  test("rejects a port in use with EADDRINUSE", async () => {
    const { port } = await listen();
    const other = new Listener(answerVersion);

    await expect(other.listen(host, port)).rejects.toMatchObject({ code: "EADDRINUSE" });
    await other.close(0);
  });

  test("recognises an HTTP/2 preface that comes byte by byte", async () => {
    const { port } = await listen();
    const socket = openSocket(port);

    await trickle(socket, Buffer.concat([preface, emptySettings]));
    const [frame] = (await once(socket, "data")) as [Buffer];

    const settingsFrame = 4;
    expect(frame[3]).toBe(settingsFrame);
  });

  test("takes a request for HTTP/1.1 whose first byte is the preface's", async () => {
    const { port } = await listen();
    const socket = openSocket(port);

    await trickle(socket, Buffer.from("POST / HTTP/1.1\r\nhost: a\r\n"));
    socket.write("content-length: 0\r\nconnection: close\r\n\r\n");

    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("answers a client that has closed its own half", async () => {
    const { port } = await listen();
    const socket = openSocket(port);

    socket.end("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");

    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("closes a connection that stays silent", async () => {
    const { port } = await listen(answerVersion, { peekTimeoutMs: 20 });

    expect(await readAll(openSocket(port))).toBe("");
  });

  test("closes a connection that stops within the preface", async () => {
    const { port } = await listen(answerVersion, { peekTimeoutMs: 20 });
    const socket = openSocket(port);

    socket.write("PRI * HT");

    expect(await readAll(socket)).toBe("");
  });

  test("answers half-sent headers with 408", async () => {
    const { port } = await listen(answerVersion, { headersTimeoutMs: 100 });
    const socket = openSocket(port);

    socket.write("GET / HTTP/1.1\r\nhost: a\r\n");

    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("answers a TLS hello with 400", async () => {
    const { port } = await listen();
    const socket = openSocket(port);

    socket.write(Buffer.from([0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0, 0, 1, 0]));

    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 400 /);
  });

  test("answers headers over the limit with 431", async () => {
    const { port } = await listen(answerVersion, { headerBytes: 1024 });
    const socket = openSocket(port);

    socket.write(`GET / HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(2000)}\r\n\r\n`);

    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 431 /);
  });

  test("ends the calls of an HTTP/2 peer that is gone", async () => {
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const { port } = await listen((request) => {
      request.once("close", end);
      client.end();
    });
    const client = openSocket(port);
    const session = connectHttp2(`http://${host}:${port}`, { createConnection: () => client });
    open.sessions.push(session);
    session.on("error", () => {});
    session.request({ ":path": "/" }).on("error", () => {});

    await ended;
  });

  test("gives up an HTTP/2 peer that does not answer pings", async () => {
    const { port } = await listen(answerVersion, { pingIntervalMs: 20 });
    const socket = openSocket(port);

    socket.write(Buffer.concat([preface, emptySettings]));
    socket.resume();

    await once(socket, "end");
    expect(socket.readableEnded).toBe(true);
  });
});

describe("Listener.close()", () => {
  /** A handler that answers when it is told to. */
  function heldHandler(): { handler: HttpHandler; reached: Promise<void>; answer: () => void } {
    let answer = (): void => {};
    let reach = (): void => {};
    const reached = new Promise<void>((resolve) => {
      reach = resolve;
    });
    const handler: HttpHandler = (_request, response) => {
      answer = () => response.end("late");
      reach();
    };
    return { handler, reached, answer: () => answer() };
  }

  test("lets an open HTTP/1.1 request end", async () => {
    const { handler, reached, answer } = heldHandler();
    const { listener, port } = await listen(handler);
    const body = fetch(`http://${host}:${port}/`).then((response) => response.text());
    await reached;

    const closed = listener.close(60_000);
    answer();

    expect(await body).toBe("late");
    await closed;
  });

  test("lets an open HTTP/2 request end and tells the peer to go away", async () => {
    const { handler, reached, answer } = heldHandler();
    const { listener, port } = await listen(handler);
    const session = connectHttp2(`http://${host}:${port}`);
    open.sessions.push(session);
    const goaway = once(session, "goaway");
    const stream = session.request({ ":path": "/" });
    await reached;

    const closed = listener.close(60_000);
    await goaway;
    answer();
    let text = "";
    for await (const chunk of stream) {
      text += String(chunk);
    }

    expect(text).toBe("late");
    await closed;
  });

  test("cuts requests that outlast the grace period", async () => {
    const { handler, reached } = heldHandler();
    const { listener, port } = await listen(handler);
    const failed = once(get({ host, port, agent: false }), "error");
    await reached;

    await listener.close(20);

    expect((await failed)[0]).toMatchObject({ code: "ECONNRESET" });
  });

  test("cuts an HTTP/2 peer that does not hang up after the goodbye", async () => {
    const { listener, port } = await listen();
    const socket = openSocket(port);
    socket.write(Buffer.concat([preface, emptySettings]));
    await once(socket, "data");
    const ended = once(socket, "end");
    socket.resume();

    await listener.close(20);

    await ended;
  });

  test("closes connections that idle or have said nothing", async () => {
    const { listener, port } = await listen();
    const silent = openSocket(port);
    await once(silent, "connect");
    const idle = openSocket(port);
    idle.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await once(idle, "data");

    await listener.close(60_000);

    expect(await readAll(silent)).toBe("");
  });
});
