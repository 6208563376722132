// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { request } from "node:https";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { type ConnectionOptions, connect, createServer as createTlsServer } from "node:tls";
import { createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { Health, TaskHubSidecarService } from "@pawl/protocol";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import type { PawlServer } from "../../src/index.js";
import { Listener } from "../../src/listen.js";
import { startServer } from "../test-server.js";
import {
  createAuthority,
  createIdentity,
  type Identity,
  inDays,
  writeIdentity,
} from "./authority.js";
import { HeldBack } from "./held-back.js";

let authority: Identity;
let identity: Identity;

beforeAll(async () => {
  authority = await createAuthority("Acme CA");
  identity = await createIdentity(authority, "server");
});

/** Connects and does a handshake; resolves once the server has taken it, with what was agreed. */
async function handshake(
  port: number,
  options: ConnectionOptions = {},
): Promise<{ alpn: string | false; version: string | null; fingerprint: string }> {
  const socket = connect({ host: "127.0.0.1", port, ca: authority.cert, ...options });
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  const alpn = socket.alpnProtocol ?? false;
  const version = socket.getProtocol();
  const { fingerprint256: fingerprint } = socket.getPeerCertificate();
  // In TLS 1.3 the client is done before the server has looked at its certificate: only an answer
  // says that it was let in.
  if (alpn === "h2") {
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "latin1");
  } else {
    socket.write("GET /v1.0/healthz HTTP/1.1\r\nhost: a\r\n\r\n");
  }
  await new Promise<void>((resolve, reject) => {
    socket.once("data", () => resolve());
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("disconnected")));
  });
  socket.destroy();
  return { alpn, version, fingerprint };
}

/** GET over a new HTTP/1.1 connection. */
function get(server: PawlServer, options: ConnectionOptions = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const url = `${server.url}/v1.0/healthz`;
    const call = request(url, { ca: authority.cert, agent: false, ...options }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    call.on("error", reject);
    call.end();
  });
}

async function startTls(options = {}): Promise<PawlServer> {
  return startServer({ ...(await writeIdentity(identity)), ...options });
}

describe("TLS", () => {
  test("has an https address", async () => {
    expect((await startTls()).url).toMatch(/^https:/);
  });

  test.each([
    [["h2", "http/1.1"], "h2"],
    [["http/1.1"], "http/1.1"],
    [undefined, false],
  ])("agrees on a protocol with a client that offers %j", async (ALPNProtocols, alpn) => {
    const server = await startTls();
    const agreed = await handshake(
      server.port,
      ALPNProtocols === undefined ? {} : { ALPNProtocols },
    );
    expect(agreed).toMatchObject({ alpn, version: "TLSv1.3" });
  });

  test("carries HTTP/1.1 and HTTP/2, Connect, gRPC and gRPC-Web on one port", async () => {
    const server = await startTls();
    const nodeOptions = { ca: authority.cert };
    const baseUrl = server.url;
    const transports = [
      createConnectTransport({ baseUrl, httpVersion: "2", nodeOptions }),
      createConnectTransport({ baseUrl, httpVersion: "1.1", nodeOptions }),
      createGrpcTransport({ baseUrl, nodeOptions }),
      createGrpcWebTransport({ baseUrl, httpVersion: "2", nodeOptions }),
      createGrpcWebTransport({ baseUrl, httpVersion: "1.1", nodeOptions }),
    ];

    expect(await get(server)).toBe(204);
    for (const transport of transports) {
      expect((await createClient(Health, transport).check({})).status).toBe(1);
    }
  });

  test("reads a request while the answer before it waits for its reader", async () => {
    const answering = Promise.withResolvers<void>();
    const listener = new Listener((request, response) => {
      if (request.url === "/large") {
        response.end(Buffer.alloc(32 * 1024 * 1024));
        answering.resolve();
      } else {
        void text(request).then((body) => response.end(`got ${body}`));
      }
    });
    listener.useTls(identity);
    const port = await listener.listen("127.0.0.1", 0);
    onTestFinished(() => listener.close(0));
    const wire = new HeldBack(connectTcp(port, "127.0.0.1"));
    onTestFinished(() => void wire.destroy());
    const socket = connect({ socket: wire, ca: authority.cert, host: "127.0.0.1" });
    await once(socket, "secureConnect");

    socket.write("GET /large HTTP/1.1\r\nhost: a\r\n\r\n");
    await answering.promise;
    wire.hold();
    // Two records of TLS, which arrive together.
    socket.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\nconnection: close\r\n\r\n");
    await new Promise((written) => socket.write("body", written));
    wire.release();

    expect((await buffer(socket)).subarray(-64).toString()).toContain("got body");
  });

  test("takes TLS 1.2 and nothing older", async () => {
    const server = await startTls();
    const old = {
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    } as const;
    // A server that does speak it shows that this client does.
    const lenient = createTlsServer({ ...identity, ...old }, (socket) => socket.end("x"));
    lenient.listen(0, "127.0.0.1");
    onTestFinished(() => void lenient.close());
    await once(lenient, "listening");
    const { port } = lenient.address() as AddressInfo;

    expect((await handshake(port, old)).version).toBe("TLSv1.1");
    await expect(handshake(server.port, old)).rejects.toThrow(/protocol version/);
    expect((await handshake(server.port, { maxVersion: "TLSv1.2" })).version).toBe("TLSv1.2");
  });

  test("answers cleartext with a word about TLS", async () => {
    const server = await startTls();
    const socket = connectTcp(server.port, "127.0.0.1");
    socket.write("GET /v1.0/healthz HTTP/1.1\r\nhost: a\r\n\r\n");
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*this port speaks TLS/);
  });

  test("closes a connection that does not finish its handshake", async () => {
    const server = await startTls({ listen: { peekTimeoutMs: 50 } });
    const socket = connectTcp(server.port, "127.0.0.1");
    socket.on("error", () => {});
    // A handshake record of 512 bytes, of which none comes.
    socket.write(Buffer.from([0x16, 3, 1, 2, 0]));
    await new Promise((closed) => socket.resume().once("close", closed));
    // On a busy machine an honest handshake may take as long.
    await vi.waitFor(async () => expect(await get(server)).toBe(204), { timeout: 10_000 });
  });

  test("does not start with files that do not fit", async () => {
    const other = await createIdentity(authority, "other");
    const files = await writeIdentity({ cert: identity.cert, key: other.key });
    const { tlsCertFile, tlsKeyFile } = files;
    const empty = await files.add("empty.pem", "");

    await expect(startServer({ tlsCertFile })).rejects.toThrow(
      "TLS needs both --tls-cert and --tls-key",
    );
    await expect(startServer({ tlsCertFile, tlsKeyFile })).rejects.toThrow(
      `--tls-key: ${tlsKeyFile} is not the key of ${tlsCertFile}`,
    );
    await expect(startServer({ tlsCertFile: empty, tlsKeyFile })).rejects.toThrow(
      `--tls-cert: ${empty} has no certificate in PEM form`,
    );
    await expect(startServer({ tlsClientCaFile: tlsCertFile })).rejects.toThrow(
      "--tls-client-ca needs TLS",
    );
    await expect(startServer({ tlsCertFile: `${empty}.no`, tlsKeyFile })).rejects.toThrow(
      `--tls-cert: cannot read ${empty}.no`,
    );
  });
});

describe("client certificates", () => {
  async function startMutual(): Promise<PawlServer> {
    const files = await writeIdentity(identity);
    const tlsClientCaFile = await files.add("ca.pem", authority.cert);
    return startServer({ ...files, tlsClientCaFile });
  }

  test("of the authority let a caller in, with every right", async () => {
    const server = await startMutual();
    const caller = await createIdentity(authority, "orders");
    const nodeOptions = { ca: authority.cert, ...caller };
    const transport = createGrpcTransport({ baseUrl: server.url, nodeOptions });

    expect(await get(server, caller)).toBe(204);
    const hub = createClient(TaskHubSidecarService, transport);
    expect((await hub.getInstance({ instanceId: "a" })).exists).toBe(false);
  });

  test.each([
    ["none", async () => ({})],
    [
      "one of another authority",
      async () => createIdentity(await createAuthority("Acme CA"), "orders"),
    ],
    ["one that it signed itself", () => createAuthority("orders")],
    ["one that has expired", () => createIdentity(authority, "orders", { until: inDays(-1) })],
    ["one that is not valid yet", () => createIdentity(authority, "orders", { from: inDays(1) })],
  ])("are asked for: %s is refused", async (_title, make) => {
    const server = await startMutual();
    const caller: Partial<Identity> = await make();
    for (const ALPNProtocols of [["h2"], ["http/1.1"]]) {
      for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
        await expect(
          handshake(server.port, { ...caller, ALPNProtocols, maxVersion }),
        ).rejects.toThrow(/alert|ECONNRESET|disconnected|EPIPE/);
      }
    }
  });

  test("do not stand in for a token where tokens are asked for", async () => {
    const files = await writeIdentity(identity);
    const tlsClientCaFile = await files.add("ca.pem", authority.cert);
    const server = await startServer({ ...files, tlsClientCaFile, apiToken: "x" });
    const nodeOptions = { ca: authority.cert, ...(await createIdentity(authority, "orders")) };
    const hub = createClient(
      TaskHubSidecarService,
      createGrpcTransport({ baseUrl: server.url, nodeOptions }),
    );

    await expect(hub.hello({})).rejects.toThrow(/a token is needed/);
    await hub.hello({}, { headers: { "dapr-api-token": "x" } });
  });
});

describe("a change of the TLS files", () => {
  test("drops no call, keeps connections, and shows in new ones", async () => {
    const files = await writeIdentity(identity);
    const server = await startServer({ ...files, reloadIntervalMs: 10 });
    const transport = createGrpcTransport({
      baseUrl: server.url,
      nodeOptions: { ca: authority.cert },
    });
    const health = createClient(Health, transport);
    const watch = health.watch({})[Symbol.asyncIterator]();
    expect((await watch.next()).value?.status).toBe(1);
    const calls = { done: 0, failed: [] as unknown[] };
    let isLoading = true;
    const load = async (call: () => Promise<unknown>): Promise<void> => {
      while (isLoading) {
        await call().then(
          () => (calls.done += 1),
          (error: unknown) => calls.failed.push(error),
        );
      }
    };
    const loads = [
      load(() => health.check({})),
      load(() => health.check({})),
      load(() => get(server)),
      load(() => handshake(server.port, { ALPNProtocols: ["h2"] })),
    ];

    let expected = "";
    for (let round = 0; round < 5; round += 1) {
      const next = await createIdentity(authority, `server ${round}`);
      await files.replace(next);
      const before = expected;
      await vi.waitFor(async () => {
        expected = (await handshake(server.port)).fingerprint;
        expect(expected).not.toBe(before);
      }, 20_000);
    }
    isLoading = false;
    await Promise.all(loads);

    expect(calls.failed).toEqual([]);
    expect(calls.done).toBeGreaterThan(20);
    // The stream from before the first change is still open.
    const later = Symbol("later");
    expect(await Promise.race([watch.next(), Promise.resolve(later)])).toBe(later);
  });

  test("to files that do not fit changes nothing and is logged", async () => {
    const files = await writeIdentity(identity);
    const error = vi.fn();
    const logger = { debug() {}, info() {}, warn() {}, error };
    const server = await startServer({ ...files, reloadIntervalMs: 10, logger });

    await files.replace({ cert: identity.cert, key: authority.key });

    await vi.waitFor(() => expect(error).toHaveBeenCalled(), 20_000);
    expect(error.mock.calls[0]?.[0].reason).toContain("is not the key of");
    expect(await get(server)).toBe(204);
  });
});
