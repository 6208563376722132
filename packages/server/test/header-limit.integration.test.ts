// SPDX-License-Identifier: Apache-2.0

// What becomes of calls whose headers (gRPC: metadata) are large or many: each protocol is told in its
// own terms, and the connection serves the next call.

import { once } from "node:events";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { PawlServer } from "../src/index.js";
import { frame } from "./raw-grpc.js";
import { rest, startServer } from "./test-server.js";
import { createAuthority, createIdentity, type Identity, writeIdentity } from "./tls/authority.js";

let authority: Identity;
let identity: Identity;

beforeAll(async () => {
  authority = await createAuthority("Acme CA");
  identity = await createIdentity(authority, "server");
});

async function openSession(isTls: boolean): Promise<ClientHttp2Session> {
  const server = await startServer(isTls ? await writeIdentity(identity) : {});
  const session = connect(server.url, { ca: authority.cert });
  session.on("error", () => {});
  onTestFinished(() => session.destroy());
  // From now on the server holds its peer to what it has announced.
  await once(session, "remoteSettings");
  return session;
}

interface Answer {
  readonly status: unknown;
  readonly grpcStatus: unknown;
  readonly text: string;
  readonly reset: number;
}

async function call(
  session: ClientHttp2Session,
  { headers, body }: Pick<Kind, "headers" | "body">,
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const request = { ":method": "POST", ...headers, ...more };
  const stream = session.request(request, { endStream: false });
  const answer = { status: undefined as unknown, grpcStatus: undefined as unknown, text: "" };
  const see = (received: Record<string, unknown>): void => {
    answer.status ??= received[":status"];
    answer.grpcStatus ??= received["grpc-status"];
    answer.text += decodeURIComponent(String(received["grpc-message"] ?? ""));
  };
  stream.on("response", see);
  stream.on("trailers", see);
  stream.on("data", (chunk: Buffer) => {
    answer.text += chunk.toString("latin1");
  });
  stream.on("error", () => {});
  stream.end(body);
  await new Promise<void>((resolve) => stream.once("close", () => resolve()));
  return { ...answer, reset: stream.rstCode ?? 0 };
}

interface Kind {
  readonly title: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  readonly served: Partial<Answer>;
  /** What it answers beside the text that all have. */
  readonly refused: Partial<Answer>;
}

const empty = frame(new Uint8Array());
const hello = "/TaskHubSidecarService/Hello";
const check = "/grpc.health.v1.Health/Check";
const grpc = { te: "trailers", "content-type": "application/grpc" };

const plainHello: Kind = {
  title: "gRPC without detours",
  headers: { ":path": hello, ...grpc },
  body: empty,
  served: { status: 200, grpcStatus: "0" },
  refused: { status: 200, grpcStatus: "8" },
};

const kinds: Kind[] = [
  plainHello,
  {
    title: "gRPC through Connect",
    headers: { ":path": hello, ...grpc, "grpc-encoding": "gzip" },
    body: frame(gzipSync(""), 1),
    served: { status: 200, grpcStatus: "0" },
    refused: { status: 200, grpcStatus: "8" },
  },
  {
    title: "gRPC to a method that is none",
    headers: { ":path": "/none.Service/None", ...grpc },
    body: empty,
    served: { status: 200, grpcStatus: "12" },
    refused: { status: 200, grpcStatus: "8" },
  },
  {
    title: "gRPC-Web",
    headers: { ":path": check, "content-type": "application/grpc-web+proto" },
    body: empty,
    served: { status: 200, text: expect.stringContaining("grpc-status: 0") },
    refused: { status: 200, grpcStatus: "8" },
  },
  {
    title: "Connect",
    headers: { ":path": check, "content-type": "application/json" },
    body: "{}",
    served: { status: 200, text: expect.stringContaining("SERVING") },
    refused: { status: 429, text: expect.stringContaining('"code":"resource_exhausted"') },
  },
  {
    title: "a stream of Connect's",
    headers: {
      ":path": "/TaskHubSidecarService/GetWorkItems",
      "content-type": "application/connect+json",
    },
    body: frame(Buffer.from("[]")),
    served: { status: 200, text: expect.stringContaining('"code":"invalid_argument"') },
    refused: { status: 200, text: expect.stringContaining('"code":"resource_exhausted"') },
  },
  {
    title: "REST",
    headers: { ":method": "GET", ":path": "/v1.0/metadata" },
    body: "",
    served: { status: 200 },
    refused: { status: 431, text: expect.stringContaining('"errorCode":"ERR_PAYLOAD_TOO_LARGE"') },
  },
];

/** Headers that are so large, by HTTP/2's count, and some more. */
const large = (bytes: number): Record<string, string> => ({ "x-large": "v".repeat(bytes) });
const many = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`x-${at}`, "1"]));

describe.each([
  ["cleartext", false],
  ["TLS", true],
])("over %s", (_protection, isTls) => {
  test.each(kinds)("$title is served up to the limits, and told above them", async (kind) => {
    const session = await openSession(isTls);
    for (const more of [large(4_096), large(8_192), large(15_000), many(100)]) {
      expect(await call(session, kind, more)).toMatchObject(kind.served);
    }
    for (const [more, words] of [
      [large(16_384), /the headers of the request have 16\d\d\d bytes; at most 16384 are allowed/],
      [large(64_000), /the headers of the request have 64\d\d\d bytes; at most 16384 are allowed/],
      [many(200), /the request has 20[0-3] headers; at most 128 are allowed/],
    ] as const) {
      const answer = await call(session, kind, more);
      expect(answer).toMatchObject({ ...kind.refused, reset: constants.NGHTTP2_NO_ERROR });
      expect(answer.text).toMatch(words);
      expect(await call(session, kind)).toMatchObject(kind.served);
    }
  });

  test("a call with more than can be looked at is reset, and the next is served", async () => {
    const session = await openSession(isTls);
    const { reset } = await call(session, plainHello, many(2_500));
    // The gRPC status of that is RESOURCE_EXHAUSTED, too.
    expect(reset).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect(await call(session, plainHello)).toMatchObject(plainHello.served);
  });
});

test("a body that still comes after the refusal does not hold up its connection", async () => {
  const session = await openSession(false);
  const stream = session.request({ ":method": "POST", ":path": hello, ...grpc, ...large(20_000) });
  stream.on("error", () => {});
  stream.resume();
  // More than the windows of stream and connection let through unread.
  stream.write(Buffer.alloc(8 * 1024 * 1024));
  await once(stream, "close");
  expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
});

describe("over HTTP/1.1", () => {
  const ask = (server: PawlServer, headers: Record<string, string>, path = check) =>
    rest(server, "POST", path, "{}", { "content-type": "application/json", ...headers });

  test("a request is told in its own terms, too", async () => {
    const server = await startServer();
    expect(await ask(server, many(100))).toMatchObject({ status: 200 });
    expect(await ask(server, many(200))).toMatchObject({
      status: 429,
      json: { code: "resource_exhausted", message: expect.stringMatching(/headers; at most 128/) },
    });
    expect(await ask(server, many(200), "/v1.0/metadata")).toMatchObject({
      status: 431,
      json: { errorCode: "ERR_PAYLOAD_TOO_LARGE" },
    });
    expect(await ask(server, large(20_000))).toMatchObject({
      status: 429,
      json: { message: expect.stringMatching(/ have 20\d\d\d bytes; at most 16384 are allowed/) },
    });
    expect(await ask(server, large(20_000), "/v1.0/metadata")).toMatchObject({
      status: 431,
      json: { errorCode: "ERR_PAYLOAD_TOO_LARGE" },
    });
    // Node's parser ends there, and answers by itself.
    expect(await ask(server, large(70_000))).toMatchObject({ status: 431, text: "" });
    expect(await ask(server, {})).toMatchObject({ status: 200 });
  });

  test("the path counts, as it does over HTTP/2", async () => {
    const server = await startServer();
    const path = `/v1.0/workflows/dapr/${"x".repeat(9_000)}`;
    expect(await rest(server, "GET", path, "")).toMatchObject({ status: 404 });
    expect(await rest(server, "GET", path, "", large(8_000))).toMatchObject({
      status: 431,
      json: { message: expect.stringMatching(/ have 17\d\d\d bytes; at most 16384 are allowed/) },
    });
  });
});
