// SPDX-License-Identifier: Apache-2.0

// Requests of more messages than any caller needs, in every protocol.

import { connect } from "node:http2";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { limits, RerunInstanceRequestSchema, toEnvelope } from "@pawl/protocol";
import { expect, onTestFinished, test } from "vitest";
import { rest, startServer } from "./test-server.js";

/** As many empty messages as make one too many, in a field of this number. */
function empties(field: number): Uint8Array {
  return Buffer.alloc(2 * (limits.requestMessages + 1), Buffer.of(8 * field + 2, 0));
}

const zip = promisify(gzip);
const calls = "/pawl.v1.CallService/Call";
const complete = "/TaskHubSidecarService/CompleteOrchestratorTask";

/** The gRPC status that a body gets as an answer. */
async function statusOf(
  port: number,
  path: string,
  body: Uint8Array,
  { encoding = "identity", type = "application/grpc" } = {},
) {
  const session = connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": type,
    "grpc-encoding": encoding,
  });
  stream.end(body);
  stream.resume();
  return await new Promise<unknown>((resolve, reject) => {
    const look = (headers: Record<string, unknown>): void => {
      if (headers["grpc-status"] !== undefined) resolve(headers["grpc-status"]);
    };
    stream.on("response", look).on("trailers", look).on("error", reject);
  });
}

test.each([
  ["a stream of calls", calls, empties(1)],
  ["a worker's answer", complete, empties(2)],
])("%s over gRPC is refused", async (_what, path, message) => {
  const { port } = await startServer();
  const refused = "8";
  expect(await statusOf(port, path, toEnvelope(message))).toBe(refused);
  const packed = toEnvelope(await zip(message));
  packed[0] = 1;
  expect(await statusOf(port, path, packed, { encoding: "gzip" })).toBe(refused);
});

test("a media type in other letters is refused as much", async () => {
  const { port } = await startServer();
  const type = "Application/gRPC";
  expect(await statusOf(port, calls, toEnvelope(empties(1)), { type })).toBe("8");
});

test("a packed payload is not taken for what it would be in another method", async () => {
  const server = await startServer();
  const instanceId = "unknown";
  // As fields of a start's instant, which a rerun has in the place of its input, these are a million and more.
  const input = "0".repeat(3_000_000);
  const body = toBinary(
    RerunInstanceRequestSchema,
    create(RerunInstanceRequestSchema, { instanceId, input }),
  );
  const path = "/pawl.v1.WorkflowService/RerunInstance";
  const headers = { "content-type": "application/proto", "content-encoding": "gzip" };
  const { json } = await rest(server, "POST", path, await zip(body), headers);
  expect(json).toMatchObject({ code: "not_found" });
});

test.each([
  ["proto", empties(2)],
  ["json", `{"actions": [${Array(limits.requestMessages).fill("{}").join()}]}`],
])("a worker's answer over Connect in %s is refused", async (codec, body) => {
  const server = await startServer();
  const headers = { "content-type": `application/${codec}` };
  const plain = await rest(server, "POST", complete, body, headers);
  expect([plain.status, plain.json]).toMatchObject([429, { code: "resource_exhausted" }]);
  const packing = { ...headers, "content-encoding": "gzip" };
  const packed = await rest(server, "POST", complete, await zip(body), packing);
  expect([packed.status, packed.json]).toMatchObject([429, { code: "resource_exhausted" }]);
});
