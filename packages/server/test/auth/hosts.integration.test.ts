// SPDX-License-Identifier: Apache-2.0

import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Dapr } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import type { PawlServer } from "../../src/index.js";
import { rest, startServer } from "../test-server.js";

const start = "/v1.0/workflows/dapr/order/start?instanceID=a";

async function statusAs(server: PawlServer, host: string): Promise<number> {
  const { status } = await rest(server, "GET", "/v1.0/metadata", "", { host });
  return status;
}

describe("a page whose name leads to this machine", () => {
  const name = "rebound.example.com";

  test("changes nothing and reads nothing where no token is asked for", async () => {
    const server = await startServer();
    const host = `${name}:${server.port}`;
    const changed = await rest(server, "POST", start, "", { host, origin: `http://${host}` });
    expect([changed.status, changed.json]).toEqual([
      403,
      {
        errorCode: "ERR_PERMISSION_DENIED",
        message: `this server asks for no token, and may not be called as "${host}"; --allowed-host names other hosts than this machine's`,
      },
    ]);
    // A browser says nothing of the page's origin when it gets what it takes for the page's own.
    expect(await statusAs(server, host)).toBe(403);
    expect((await server.engine.list()).instances).toEqual([]);
  });

  test("is refused over HTTP/2", async () => {
    const server = await startServer();
    const transport = createGrpcTransport({
      baseUrl: `http://${name}:${server.port}`,
      nodeOptions: {
        lookup: (_name, _options, found) => found(null, [{ address: "127.0.0.1", family: 4 }]),
      },
    });
    await expect(createClient(Dapr, transport).getMetadata({})).rejects.toThrow(/allowed-host/);
  });

  test("needs the token where one is asked for", async () => {
    const server = await startServer({ apiToken: "x" });
    const token = { "dapr-api-token": "x" };
    const path = "/v1.0/metadata";
    expect(await statusAs(server, name)).toBe(401);
    expect((await rest(server, "GET", path, "", { host: name, ...token })).status).toBe(200);
  });
});

test.each([
  "localhost",
  "LocalHost:3500",
  "localhost.",
  "pawl.localhost:1",
  "127.0.0.1:3500",
  "127.8.9.1",
  "[::1]:3500",
  "192.168.1.5",
])("a server of this machine answers to %s", async (host) => {
  expect(await statusAs(await startServer(), host)).toBe(200);
});

test.each(["localhost.example.com", "notlocalhost", "127.0.0.1.example.com", "a@b c", "pawl"])(
  "a server of this machine does not answer to %s",
  async (host) => {
    expect(await statusAs(await startServer(), host)).toBe(403);
  },
);

test("a server answers to the names that it is given, and no others", async () => {
  const server = await startServer({ allowedHosts: ["Pawl.example.com", "pawl"] });
  expect(await statusAs(server, "pawl.example.com:80")).toBe(200);
  expect(await statusAs(server, "PAWL")).toBe(200);
  expect(await statusAs(server, "a.pawl.example.com")).toBe(403);
});

describe("a server of the network without tokens", () => {
  const network = { host: "0.0.0.0", allowInsecureNetwork: true };

  test("answers to every name", async () => {
    expect(await statusAs(await startServer(network), "pawl.shop.svc")).toBe(200);
  });

  test("answers only to the names that it is given, when there are some", async () => {
    const server = await startServer({ ...network, allowedHosts: ["pawl"] });
    expect(await statusAs(server, "pawl:3500")).toBe(200);
    expect(await statusAs(server, "pawl.shop.svc")).toBe(403);
    expect(await statusAs(server, "localhost:3500")).toBe(200);
  });
});

test.each(["*", "http://a.com", "a.com:1", "a.com/", "", "*.a.com", "[::1]"])(
  "the host %j is not taken",
  async (name) => {
    await expect(startServer({ allowedHosts: [name] })).rejects.toThrow(
      `--allowed-host: "${name}" is not a host's name like "pawl.example.com"`,
    );
  },
);
