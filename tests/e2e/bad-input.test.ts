// SPDX-License-Identifier: Apache-2.0

import { connect as connectSocket } from "node:net";
import { fromBinary } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { ErrorDetailSchema, limits, WorkflowService } from "@pawl/protocol";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ServerProcess } from "./server-process.js";

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start();
  await client().startInstance({ workflow: "nobody-runs-this", instanceId: "witness" });
});
afterAll(() => server.discard());

/** Whatever a test sent: the server still answers, and nothing is lost. */
afterEach(async () => {
  const { instance } = await client().getInstance({ instanceId: "witness" });
  expect(instance?.instanceId).toBe("witness");
});

function client() {
  return createClient(WorkflowService, createGrpcTransport({ baseUrl: server.url }));
}

const start = "/pawl.v1.WorkflowService/StartInstance";
const get = "/pawl.v1.WorkflowService/GetInstance";
const tooLarge = "x".repeat(limits.requestBytes + 1);

async function post(path: string, contentType: string, body: BodyInit): Promise<Response> {
  const headers = { "content-type": contentType };
  return fetch(server.url + path, { method: "POST", headers, body });
}

/** Status, Connect's code and Pawl's code of a Connect error response. */
async function readConnectError(response: Response): Promise<readonly unknown[]> {
  const error = (await response.json()) as {
    code: string;
    message: string;
    details?: readonly { readonly type: string; readonly value: string }[];
  };
  expect(error.message).not.toBe("");
  const detail = error.details?.find(({ type }) => type === "pawl.v1.ErrorDetail");
  const code = detail && fromBinary(ErrorDetailSchema, base64Decode(detail.value)).code;
  return [response.status, error.code, code];
}

async function readRestError(response: Response): Promise<readonly unknown[]> {
  const error = (await response.json()) as { errorCode: string; message: string };
  expect(error.message).not.toBe("");
  return [response.status, error.errorCode];
}

async function catchConnectError(call: Promise<unknown>): Promise<readonly unknown[]> {
  const error = ConnectError.from(await call.catch((reason: unknown) => reason));
  return [error.code, error.findDetails(ErrorDetailSchema)[0]?.code];
}

describe("Connect", () => {
  test("malformed JSON is a malformed request", async () => {
    const response = await post(start, "application/json", '{"workflow": "order"');
    expect(await readConnectError(response)).toEqual([
      400,
      "invalid_argument",
      "MALFORMED_REQUEST",
    ]);
  });

  test("malformed protobuf is a malformed request", async () => {
    const response = await post(start, "application/proto", new Uint8Array([0x0a, 0xff, 0xff]));
    expect(await readConnectError(response)).toEqual([
      400,
      "invalid_argument",
      "MALFORMED_REQUEST",
    ]);
  });

  test("a body over the limit is refused as too large", async () => {
    const body = JSON.stringify({ workflow: "order", input: tooLarge });
    const response = await post(start, "application/json", body);
    const [, code, detail] = await readConnectError(response);
    expect([code, detail]).toEqual(["resource_exhausted", "PAYLOAD_TOO_LARGE"]);
  });

  test("an unknown instance is not found", async () => {
    const response = await post(get, "application/json", '{"instanceId": "nobody"}');
    expect(await readConnectError(response)).toEqual([404, "not_found", "INSTANCE_NOT_FOUND"]);
  });

  test("an unknown content type is refused", async () => {
    const response = await post(start, "text/plain", "order");
    expect(response.status).toBe(415);
  });

  test.each([
    ["an empty workflow name", { workflow: "" }],
    ["an id with a control character", { workflow: "order", instanceId: "a\u0000b" }],
    ["an id over the limit", { workflow: "order", instanceId: "i".repeat(513) }],
    ["too many tags", { workflow: "order", tags: manyTags() }],
    ["a field of the wrong type", { workflow: { name: 1 } }],
  ])("%s is an invalid argument", async (_title, request) => {
    const response = await post(start, "application/json", JSON.stringify(request));
    expect(await readConnectError(response)).toEqual([400, "invalid_argument", "INVALID_ARGUMENT"]);
  });
});

describe("gRPC and gRPC-Web", () => {
  const transports = {
    gRPC: () => createGrpcTransport({ baseUrl: server.url }),
    "gRPC-Web": () => createGrpcWebTransport({ baseUrl: server.url }),
  };
  for (const [name, createTransport] of Object.entries(transports)) {
    const connect = () => createClient(WorkflowService, createTransport());

    test(`${name}: an unknown instance is not found`, async () => {
      const call = connect().getInstance({ instanceId: "nobody" });
      expect(await catchConnectError(call)).toEqual([Code.NotFound, "INSTANCE_NOT_FOUND"]);
    });

    test(`${name}: an id with a control character is an invalid argument`, async () => {
      const call = connect().startInstance({ workflow: "order", instanceId: "a\u0007b" });
      expect(await catchConnectError(call)).toEqual([Code.InvalidArgument, "INVALID_ARGUMENT"]);
    });

    test(`${name}: a message over the limit is refused as too large`, async () => {
      const call = connect().startInstance({ workflow: "order", input: tooLarge });
      expect(await catchConnectError(call)).toEqual([Code.ResourceExhausted, "PAYLOAD_TOO_LARGE"]);
    });
  }

  test("gRPC-Web: a malformed message is a malformed request", async () => {
    const frame = new Uint8Array([0, 0, 0, 0, 3, 0x0a, 0xff, 0xff]);
    const response = await post(start, "application/grpc-web+proto", frame);
    const text = await response.text();
    const status = response.headers.get("grpc-status") ?? /grpc-status: ?(\d+)/i.exec(text)?.[1];
    expect(status).toBe(String(Code.InvalidArgument));
  });
});

describe("REST", () => {
  test.each([
    ["an id with forbidden characters", "order/start?instanceID=a%2Fb", "ERR_INSTANCE_ID_INVALID"],
    [
      "an id that is too long",
      `order/start?instanceID=${"i".repeat(65)}`,
      "ERR_INSTANCE_ID_TOO_LONG",
    ],
  ])("%s is a bad request", async (_title, path, code) => {
    const response = await post(`/v1.0/workflows/dapr/${path}`, "application/json", "1");
    expect(await readRestError(response)).toEqual([400, code]);
  });

  test("malformed JSON in a command's body is a bad request", async () => {
    const response = await post("/v1.0/workflows/dapr/witness/pause", "application/json", "{");
    expect(await readRestError(response)).toEqual([400, "ERR_MALFORMED_REQUEST"]);
  });

  test("a body over the limit is a bad request", async () => {
    const response = await post("/v1.0/workflows/dapr/order/start", "text/plain", tooLarge);
    expect(await readRestError(response)).toEqual([400, "ERR_BODY_READ"]);
  });

  test("an unknown instance is not found", async () => {
    const response = await fetch(`${server.url}/v1.0/workflows/dapr/nobody`);
    expect(await readRestError(response)).toEqual([404, "ERR_INSTANCE_ID_NOT_FOUND"]);
  });

  test.each(["/", "/v1.0/nothing", "/v1.0/workflows", "/v9.9/workflows/dapr/witness"])(
    "the unknown path %s is not found",
    async (path) => {
      const response = await fetch(server.url + path);
      await response.arrayBuffer();
      expect(response.status).toBe(404);
    },
  );
});

describe("bytes that are no request", () => {
  test.each([
    ["no HTTP at all", "hello?\r\n\r\n"],
    ["a TLS hello", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000"],
    ["HTTP/2's preface and then noise", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnoise, noise, noise"],
    ["a header without an end", `GET / HTTP/1.1\r\nx: ${"x".repeat(200_000)}`],
  ])("%s: the connection is closed", async (_title, text) => {
    const socket = connectSocket(server.place.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.resume();
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write(Buffer.from(text, "latin1"));
    await closed;
  });
});

function manyTags(): Record<string, string> {
  return Object.fromEntries(Array.from({ length: limits.tags + 1 }, (_, at) => [`tag${at}`, ""]));
}
