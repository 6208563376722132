// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { Health, TaskHubSidecarService, WorkflowService } from "@pawl/protocol";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { fakeEngine } from "../fake-engine.js";
import { rest, startServer } from "../test-server.js";
import { tokens, writeTokens } from "./credential.js";

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pawl-tokens-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const path = "/v1.0/workflows/dapr/a";

describe("apiToken", () => {
  test("is wanted from everybody and may do everything", async () => {
    const server = await startServer({ apiToken: "x" });

    expect((await rest(server, "GET", path)).status).toBe(401);
    expect((await rest(server, "GET", path, "", { "dapr-api-token": "y" })).status).toBe(401);
    expect((await rest(server, "GET", path, "", { "dapr-api-token": "x" })).status).toBe(404);
    expect(
      (await rest(server, "PUT", "/v1.0/metadata/a", "", { "dapr-api-token": "x" })).status,
    ).toBe(204);
  });

  test("leaves health open, over REST and gRPC", async () => {
    const server = await startServer({ apiToken: "x" });
    const health = createClient(Health, createGrpcTransport({ baseUrl: server.url }));

    expect((await rest(server, "GET", "/v1.0/healthz")).status).toBe(204);
    expect((await rest(server, "GET", "/v1.0/healthz/outbound")).status).toBe(204);
    expect((await health.check({})).status).toBe(1);
  });

  test("is answered in Dapr's words with strictDapr", async () => {
    const server = await startServer({ apiToken: "x", strictDapr: true });
    const answer = await rest(server, "GET", path);
    expect([answer.status, answer.text]).toEqual([401, "invalid api token\n"]);
    expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
  });

  test("says over REST what to do", async () => {
    const server = await startServer({ apiToken: "x" });
    const { json, headers } = await rest(server, "GET", path);
    expect(json).toEqual({
      errorCode: "ERR_UNAUTHENTICATED",
      message:
        'a token is needed: send it in the header "dapr-api-token", or as "authorization: Bearer TOKEN"',
    });
    expect(headers["www-authenticate"]).toBe("Bearer");
  });
});

describe("a tokens file", () => {
  test("says over REST which scope is missing", async () => {
    const tokensFile = join(await makeFolder(), "tokens.yaml");
    await writeTokens(tokensFile);
    const server = await startServer({ tokensFile });

    const headers = { "dapr-api-token": tokens.read };
    const answer = await rest(server, "POST", `${path}/terminate`, "", headers);

    expect(answer.json).toEqual({
      errorCode: "ERR_PERMISSION_DENIED",
      message: '"terminate" needs the scope "operate"; token:read has "read"',
    });
  });

  test("with a mistake keeps the server from starting", async () => {
    const tokensFile = join(await makeFolder(), "tokens.yaml");
    await writeFile(tokensFile, "tokens: 1\n");
    await expect(startServer({ tokensFile })).rejects.toThrow(
      `${tokensFile}:1: tokens: must be a list`,
    );
    await expect(startServer({ tokensFile: `${tokensFile}.no` })).rejects.toThrow(
      `--tokens-file: cannot read ${tokensFile}.no`,
    );
  });

  test("is taken anew when it changes, also when it is replaced", async () => {
    const folder = await makeFolder();
    const tokensFile = join(folder, "tokens.yaml");
    await writeTokens(tokensFile, { read: tokens.read });
    const server = await startServer({ tokensFile, reloadIntervalMs: 20 });
    const status = async (token: string): Promise<number> =>
      (await rest(server, "GET", path, "", { "dapr-api-token": token })).status;
    expect([await status(tokens.read), await status(tokens.admin)]).toEqual([404, 401]);

    await writeTokens(join(folder, "next.yaml"), { admin: tokens.admin });
    await rename(join(folder, "next.yaml"), tokensFile);

    await vi.waitFor(async () => {
      expect([await status(tokens.read), await status(tokens.admin)]).toEqual([401, 404]);
    }, 20_000);
  });

  test("changes nothing when it has a mistake", async () => {
    const tokensFile = join(await makeFolder(), "tokens.yaml");
    await writeTokens(tokensFile);
    const error = vi.fn();
    const logger = { debug() {}, info() {}, warn() {}, error };
    const server = await startServer({ tokensFile, reloadIntervalMs: 20, logger });

    await writeFile(tokensFile, "tokens:\n  - name: 1\n");

    await vi.waitFor(() => expect(error).toHaveBeenCalled(), 20_000);
    expect(error.mock.calls[0]?.[0].reason).toContain(
      `${tokensFile}:2: tokens[0].name: must be a name`,
    );
    expect((await rest(server, "GET", path, "", { "dapr-api-token": tokens.read })).status).toBe(
      404,
    );
  });

  test("that drops a token ends the open streams of its holder and of nobody else", async () => {
    const tokensFile = join(await makeFolder(), "tokens.yaml");
    await writeTokens(tokensFile);
    const server = await startServer({ tokensFile, reloadIntervalMs: 20 });
    const hub = createClient(TaskHubSidecarService, createGrpcTransport({ baseUrl: server.url }));
    const open = (token: string): Promise<Code> => {
      const headers = { "dapr-api-token": token };
      const stream = hub.getWorkItems({}, { headers })[Symbol.asyncIterator]();
      return stream.next().then(
        () => Code.Unknown,
        (error: { code: Code }) => error.code,
      );
    };
    const dropped = open(tokens.work);
    const kept = open(tokens.admin);
    await vi.waitFor(() => expect(server.engine.workerCount()).toBe(2), 20_000);

    await writeTokens(tokensFile, { admin: tokens.admin });

    expect(await dropped).not.toBe(Code.Unknown);
    await vi.waitFor(() => expect(server.engine.workerCount()).toBe(1), 20_000);
    const later = "later";
    expect(await Promise.race([kept, Promise.resolve(later)])).toBe(later);
    expect(await open(tokens.work)).toBe(Code.Unauthenticated);
  });

  test.each([
    ["gRPC", createGrpcTransport],
    [
      "Connect over HTTP/2",
      (to: { baseUrl: string }) => createConnectTransport({ ...to, httpVersion: "2" }),
    ],
    [
      "Connect over HTTP/1.1",
      (to: { baseUrl: string }) => createConnectTransport({ ...to, httpVersion: "1.1" }),
    ],
  ])(
    "that drops a token fails the waits of its holder over %s",
    async (_protocol, createTransport) => {
      const tokensFile = join(await makeFolder(), "tokens.yaml");
      await writeTokens(tokensFile);
      const waiting = vi.fn();
      const waitForCompletion = async (): Promise<never> => {
        waiting();
        return new Promise(() => {});
      };
      const engine = fakeEngine({ waitForCompletion });
      const server = await startServer({ engine, tokensFile, reloadIntervalMs: 20 });
      const client = createClient(WorkflowService, createTransport({ baseUrl: server.url }));
      const headers = { "dapr-api-token": tokens.read };
      const failed = expect(
        client.waitForInstanceCompletion({ instanceId: "a" }, { headers }),
      ).rejects.toThrow();
      await vi.waitFor(() => expect(waiting).toHaveBeenCalledOnce(), 20_000);

      await writeTokens(tokensFile, { admin: tokens.admin });

      await failed;
    },
  );
});
