// SPDX-License-Identifier: Apache-2.0

// What grpc-js, which Dapr's and Microsoft's JavaScript SDKs are built on, makes of our failures. It is
// stricter than Connect's client in what it takes for a status.

import { create, toBinary } from "@bufbuild/protobuf";
import { Client, compressionAlgorithms, credentials, Metadata, status } from "@grpc/grpc-js";
import { limits } from "@pawl/protocol";
import { RaiseEventWorkflowRequestSchema } from "@pawl/protocol/dapr";
import { describe, expect, onTestFinished, test } from "vitest";
import type { PawlServer } from "../src/index.js";
import { startServer } from "./test-server.js";

/** Status and message of a call. */
type Outcome = readonly [code: number, message: string];

const asIs = (bytes: Buffer): Buffer => bytes;

interface Call {
  readonly path: string;
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

function clientOf({ port }: PawlServer, options = {}): Client {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options);
  onTestFinished(() => client.close());
  return client;
}

function metadataOf(headers: Readonly<Record<string, string>> = {}): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}

function call(
  client: Client,
  { path, body = Buffer.alloc(0), headers, timeoutMs }: Call,
): Promise<Outcome> {
  const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
  return new Promise((resolve) => {
    const message = Buffer.from(body);
    client.makeUnaryRequest(path, asIs, asIs, message, metadataOf(headers), options, (error) =>
      resolve([error?.code ?? status.OK, error?.details ?? ""]),
    );
  });
}

/** How a stream of answers ends. */
function callStream(client: Client, path: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const stream = client.makeServerStreamRequest(path, asIs, asIs, Buffer.alloc(0));
    stream.on("data", () => {});
    stream.on("error", () => {});
    stream.on("status", ({ code, details }) => resolve([code, details]));
  });
}

const hello = "/TaskHubSidecarService/Hello";
const raise = "/dapr.proto.runtime.v1.Dapr/RaiseEventWorkflowBeta1";
const event = toBinary(
  RaiseEventWorkflowRequestSchema,
  create(RaiseEventWorkflowRequestSchema, { instanceId: "größe 50 %", eventName: "a,b;c" }),
);
const unknown =
  "error raising event on workflow 'größe 50 %': failed to raise event a,b;c on workflow größe 50 %: failed to raise event: no such instance exists";

describe.each([
  ["without detours", {}],
  ["through Connect", { "grpc.default_compression_algorithm": compressionAlgorithms.gzip }],
])("a gRPC client whose calls go %s", (_way, options) => {
  test("reads the message of a failure as it was written", async () => {
    const client = clientOf(await startServer(), options);
    expect(await call(client, { path: raise, body: event })).toEqual([status.INTERNAL, unknown]);
  });

  test("learns that a message is too large, a method is none, or its time is up", async () => {
    const client = clientOf(await startServer(), options);
    const body = Buffer.alloc(limits.requestBytes + 1);
    const [code, words] = await call(client, { path: raise, body });
    expect([code, words]).toEqual([
      status.RESOURCE_EXHAUSTED,
      expect.stringMatching(/larger|limit/),
    ]);
    expect(await call(client, { path: "/none.Service/None" })).toEqual([
      status.UNIMPLEMENTED,
      "unknown method /none.Service/None",
    ]);
    const wait = "/TaskHubSidecarService/WaitForInstanceCompletion";
    expect((await call(client, { path: wait, timeoutMs: 50 }))[0]).toBe(status.DEADLINE_EXCEEDED);
    expect(await call(client, { path: hello })).toEqual([status.OK, ""]);
  });

  test("learns that its headers are too large or too many", async () => {
    const client = clientOf(await startServer(), options);
    const large = { "x-large": "v".repeat(20_000) };
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`x-${at}`, "1"]));
    const expected = (words: RegExp) => [status.RESOURCE_EXHAUSTED, expect.stringMatching(words)];
    expect(await call(client, { path: hello, headers: large })).toEqual(
      expected(/^the headers of the request have 20\d\d\d bytes; at most 16384 are allowed$/),
    );
    expect(await call(client, { path: hello, headers: many })).toEqual(
      expected(/^the request has 2\d\d headers; at most 128 are allowed$/),
    );
    expect(await call(client, { path: hello })).toEqual([status.OK, ""]);
  });

  test("learns of a failure that quotes more than headers hold, and keeps its connection", async () => {
    const client = clientOf(await startServer(), options);
    const stream = callStream(client, "/grpc.health.v1.Health/Watch");
    const instanceId = "ä".repeat(100_000);
    const request = create(RaiseEventWorkflowRequestSchema, { instanceId, eventName: "e" });
    const body = toBinary(RaiseEventWorkflowRequestSchema, request);
    expect(await call(client, { path: raise, body })).toEqual([
      status.INVALID_ARGUMENT,
      expect.stringMatching(/^error raising event on workflow 'ä+\.\.\. \(\d+ bytes\)$/),
    ]);
    const path = `/none.Service/${"n".repeat(12_000)}`;
    expect(await call(client, { path })).toEqual([
      status.UNIMPLEMENTED,
      expect.stringMatching(/^unknown method \/none.Service\/n+\.\.\. \(\d+ bytes\)$/),
    ]);
    const [code] = await Promise.race([stream, call(client, { path: hello })]);
    expect(code).toBe(status.OK);
  });

  test.each([
    [
      false,
      'a token is needed: send it in the header "dapr-api-token", or as "authorization: Bearer TOKEN"',
    ],
    [true, "Unauthorized"],
  ])("learns that it needs a token, strictDapr %s", async (strictDapr, words) => {
    const client = clientOf(await startServer({ apiToken: "right", strictDapr }), options);
    const refused = [status.UNAUTHENTICATED, words];
    expect(await call(client, { path: hello })).toEqual(refused);
    expect(await callStream(client, "/TaskHubSidecarService/GetWorkItems")).toEqual(refused);
    const [code] = await call(client, { path: "/none.Service/None" });
    expect(code).toBe(status.UNAUTHENTICATED);
    const headers = { "dapr-api-token": "right" };
    expect(await call(client, { path: hello, headers })).toEqual([status.OK, ""]);
  });
});
