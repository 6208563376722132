// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { createRouterTransport } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { WorkflowService } from "@pawl/protocol";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { createClient } from "./client.js";
import type { ClientOptions } from "./options.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A server that notes the token of every call. */
async function startServer(): Promise<{ baseUrl: string; tokens: (string | null)[] }> {
  const tokens: (string | null)[] = [];
  const server = createServer(
    connectNodeAdapter({
      routes(router) {
        router.service(WorkflowService, {
          raiseEvent(_request, { requestHeader }) {
            tokens.push(requestHeader.get("dapr-api-token"));
            return {};
          },
        });
      },
    }),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tokens };
}

async function tokensSent(options: ClientOptions): Promise<(string | null)[]> {
  const { baseUrl, tokens } = await startServer();
  const client = createClient({ baseUrl, ...options });
  onTestFinished(() => client.close());
  await client.raiseEvent("a", "b");
  await client.raiseEvent("a", "b");
  return tokens;
}

describe("token", () => {
  test("is sent with every call", async () => {
    expect(await tokensSent({ token: "x" })).toEqual(["x", "x"]);
  });

  test("is asked for before every call when it is a function", async () => {
    let number = 0;
    const token = async (): Promise<string> => {
      number += 1;
      return `x${number}`;
    };
    expect(await tokensSent({ token })).toEqual(["x1", "x2"]);
  });

  test("is that of DAPR_API_TOKEN unless another is given", async () => {
    vi.stubEnv("DAPR_API_TOKEN", "from the environment");
    expect(await tokensSent({})).toEqual(["from the environment", "from the environment"]);
    expect(await tokensSent({ token: "" })).toEqual([null, null]);
  });

  test("goes with a server's address only", () => {
    const transport = createRouterTransport(() => {});
    const refused = expect.objectContaining({ code: "INVALID_ARGUMENT" });
    expect(() => createClient({ transport, token: "x" })).toThrow(refused);
    expect(() => createClient({ transport, tls: {} })).toThrow(refused);
  });
});

test("a component goes with a server's address only", () => {
  const transport = createRouterTransport(() => {});
  const refused = expect.objectContaining({ code: "INVALID_ARGUMENT" });
  expect(() => createClient({ transport, component: "billing" })).toThrow(refused);
});

test("many large calls at once are all made", async () => {
  const { baseUrl, tokens } = await startServer();
  const client = createClient({ baseUrl });
  onTestFinished(() => client.close());
  const payload = "x".repeat(1_000_000);
  const calls = Array.from({ length: 30 }, () => client.raiseEvent("a", "b", payload));
  await Promise.all(calls);
  expect(tokens).toHaveLength(30);
});
