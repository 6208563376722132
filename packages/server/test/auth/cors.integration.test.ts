// SPDX-License-Identifier: Apache-2.0

import { createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { Dapr, WorkflowService } from "@pawl/protocol";
import { describe, expect, test } from "vitest";
import { type RestAnswer, rest, startServer } from "../test-server.js";

const page = "https://app.example.com";
const path = "/pawl.v1.WorkflowService/GetInstance";

function allowed({ headers }: RestAnswer): unknown {
  return headers["access-control-allow-origin"];
}

describe("a browser's question before a call", () => {
  const question = { origin: page, "access-control-request-method": "POST" };

  test("is answered for a named page, without a token, and may be remembered", async () => {
    const server = await startServer({
      corsOrigins: [page, "http://localhost:5173"],
      apiToken: "x",
    });
    for (const target of [path, "/v1.0/workflows/dapr/a", "/nothing"]) {
      const { status, headers, text } = await rest(server, "OPTIONS", target, "", question);
      expect([status, text]).toEqual([204, ""]);
      expect(headers).toMatchObject({
        "access-control-allow-origin": page,
        "access-control-allow-methods": "POST, GET, PUT, DELETE",
        "access-control-max-age": "7200",
        vary: "Origin",
      });
      const names = String(headers["access-control-allow-headers"]).toLowerCase().split(", ");
      expect(names).toEqual(
        expect.arrayContaining([
          "content-type",
          "connect-protocol-version",
          "connect-timeout-ms",
          "x-grpc-web",
          "x-user-agent",
          "grpc-timeout",
          "dapr-api-token",
          "pawl-component",
          "authorization",
        ]),
      );
      expect(headers).not.toHaveProperty("access-control-allow-credentials");
    }
  });

  test("names all headers of requests that the REST API knows", async () => {
    const server = await startServer({ corsOrigins: [page] });
    const { json } = await rest(server, "GET", "/v1.0/openapi.json");
    const { headers } = await rest(server, "OPTIONS", path, "", question);
    const { paths } = json as {
      paths: Record<string, Record<string, { parameters: { name: string; in: string }[] }>>;
    };
    const known = Object.values(paths)
      .flatMap((methods) => Object.values(methods))
      .flatMap(({ parameters }) => parameters)
      .flatMap((parameter) => (parameter.in === "header" ? [parameter.name] : []));

    expect(known).toContain("ce-type");
    expect(String(headers["access-control-allow-headers"]).split(", ")).toEqual(
      expect.arrayContaining([...new Set(known)]),
    );
  });

  test.each([
    ["of another page", [page], { ...question, origin: "https://evil.example.com" }, 403],
    ["of a page whose name begins alike", [page], { ...question, origin: `${page}.evil.com` }, 403],
    ["of a page of no origin", [page], { ...question, origin: "null" }, 403],
    ["where no page is named", [], question, 403],
    ["that is none", [page], { origin: page }, 405],
  ])("%s is refused", async (_title, corsOrigins, headers, status) => {
    const server = await startServer({ corsOrigins });
    const answer = await rest(server, "OPTIONS", path, "", headers);
    expect(answer.status).toBe(status);
    expect(answer.headers).not.toHaveProperty("access-control-allow-methods");
  });
});

describe("a call of a named page", () => {
  test("gets headers with which it may read the answer, in every protocol, also of a refusal", async () => {
    const server = await startServer({ corsOrigins: [page], apiToken: "x" });
    const headers = { origin: page };
    const token = { "dapr-api-token": "x" };
    const json = { "content-type": "application/json" };
    const web = { "content-type": "application/grpc-web+proto" };
    const answers = [
      await rest(server, "GET", "/v1.0/workflows/dapr/a", "", headers),
      await rest(server, "GET", "/v1.0/workflows/dapr/a", "", { ...headers, ...token }),
      await rest(server, "POST", path, '{"instanceId":"a"}', { ...headers, ...token, ...json }),
      await rest(server, "POST", path, "{}", { ...headers, ...json }),
      await rest(server, "POST", path, "", { ...headers, ...web }),
      await rest(server, "POST", path, "\0\0\0\0\0", { ...headers, ...token, ...web }),
    ];
    for (const answer of answers) {
      expect(allowed(answer)).toBe(page);
      expect(answer.headers.vary).toBe("Origin");
      expect(String(answer.headers["access-control-expose-headers"]).toLowerCase()).toContain(
        "grpc-status, grpc-message, grpc-status-details-bin",
      );
    }
    expect(answers.map(({ status }) => status)).toEqual([401, 404, 404, 401, 200, 200]);
  });

  test("is not mixed up with others by a cache", async () => {
    const server = await startServer({ corsOrigins: [page] });
    const answer = await rest(server, "GET", "/v1.0/healthz");
    expect([allowed(answer), answer.headers.vary]).toEqual([undefined, "Origin"]);
  });
});

describe("a call of a page that is not named", () => {
  test("changes nothing, in any protocol, though no token is asked for", async () => {
    const server = await startServer();
    const origin = "https://evil.example.com";
    const start = "/v1.0/workflows/dapr/order/start?instanceID=a";
    const answer = await rest(server, "POST", start, "", { origin });
    expect([answer.status, answer.json]).toEqual([
      403,
      {
        errorCode: "ERR_PERMISSION_DENIED",
        message: `pages of ${origin} may not call this server; --cors-origin names those that may`,
      },
    ]);
    const baseUrl = server.url;
    for (const transport of [
      createConnectTransport({ baseUrl, httpVersion: "1.1" }),
      createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
      createGrpcTransport({ baseUrl }),
    ]) {
      const workflows = createClient(WorkflowService, transport);
      const call = workflows.startInstance({ workflow: "order" }, { headers: { origin } });
      await expect(call).rejects.toThrow(/may not call this server/);
    }
    expect((await server.engine.list()).instances).toEqual([]);
  });

  test("is let in where the page is the server's own", async () => {
    const server = await startServer();
    const { status } = await rest(server, "GET", "/v1.0/metadata", "", { origin: server.url });
    expect(status).toBe(200);
    const dapr = createClient(Dapr, createGrpcTransport({ baseUrl: server.url }));
    await dapr.getMetadata({}, { headers: { origin: server.url } });
  });
});

test.each(["*", "app.example.com", "https://app.example.com/", "https://a.com/x", "null", ""])(
  "the origin %j is not taken",
  async (origin) => {
    await expect(startServer({ corsOrigins: [origin] })).rejects.toThrow(
      `--cors-origin: "${origin}" is not an origin like "https://app.example.com"`,
    );
  },
);
