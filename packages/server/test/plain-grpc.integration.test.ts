// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { gzipSync } from "node:zlib";
import {
  Code,
  ConnectError,
  createContextKey,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import { EngineError } from "@pawl/engine";
import { HealthCheckResponse_ServingStatus as ServingStatus } from "@pawl/protocol/grpc";
import { describe, expect, test } from "vitest";
import { sendHeaders } from "../src/rpc/early-headers.js";
import {
  type Answer,
  checkPath,
  factsOf,
  frame,
  openStream,
  request,
  type Served,
  send,
  serve,
  watchPath,
} from "./raw-grpc.js";

/** A service that does what the name in the request says. */
async function check({ service }: { service: string }, context: HandlerContext) {
  switch (service) {
    case "engine error":
      throw new EngineError("INSTANCE_EXISTS", "it is there: ü", { details: { instanceId: "a" } });
    case "unknown error":
      throw new TypeError("secret");
    case "error with metadata":
      throw new ConnectError("no", Code.NotFound, { "x-more": "1" });
    case "headers and error":
      context.responseHeader.set("x-head", "1");
      context.responseTrailer.set("x-tail", "2");
      throw new EngineError("CANCELLED", "no");
    case "headers":
      context.responseHeader.set("x-head", "1");
      context.responseTrailer.set("x-tail", "2");
      return { status: ServingStatus.SERVING };
    case "echo": {
      const { url, protocolName, requestMethod, requestHeader, method } = context;
      const { pathname } = new URL(url);
      const facts = [pathname, protocolName, requestMethod, requestHeader.get("x-in"), method.name];
      context.responseHeader.set("x-echo", facts.join(" "));
      context.responseHeader.set("x-in-time", String((context.timeoutMs() ?? 0) > 0));
      return {};
    }
    case "wait":
      if (!context.signal.aborted) {
        await once(context.signal, "abort");
      }
      throw new EngineError("CANCELLED", "given up");
    default:
      return { status: ServingStatus.SERVING };
  }
}

/** Does the same, after as many messages as the name in the request says behind "@". */
async function* watch({ service }: { service: string }, context: HandlerContext) {
  const [name = "", before = "0"] = service.split("@");
  for (let sent = 0; sent < Number(before); sent += 1) {
    yield { status: ServingStatus.UNKNOWN };
  }
  yield await check({ service: name }, context);
}

/** The two ways: the second path is not one that the short way knows. */
async function both(
  served: Served,
  path: string,
  chunks: readonly Uint8Array[],
  headers: Readonly<Record<string, string>> = {},
): Promise<[Answer, Answer]> {
  const before = served.taken.length;
  const short = await send(served, chunks, { ...headers, ":path": path });
  expect(served.taken.length).toBe(before + 1);
  const long = await send(served, chunks, { ...headers, ":path": `${path}?` });
  expect(served.taken.length).toBe(before + 1);
  return [short, long];
}

describe.each([
  ["unary", checkPath],
  ["server-streaming", watchPath],
])("a plain %s gRPC call has the answer that Connect's handler gives", (_kind, path) => {
  const large = request("x".repeat(50_000));
  test.each<[string, readonly Uint8Array[], Code | 0, Record<string, string>?]>([
    ["success", [request("")], 0],
    ["headers and trailers of the service", [request("headers")], 0],
    [
      "what the service may know of it",
      [request("echo")],
      0,
      { "x-in": "a", "grpc-timeout": "9S" },
    ],
    ["an error of the engine", [request("engine error")], Code.AlreadyExists],
    ["an unknown error", [request("unknown error")], Code.Internal],
    ["an error with metadata", [request("error with metadata")], Code.NotFound],
    ["headers before an error", [request("headers and error")], Code.Canceled],
    ["a deadline that passes", [request("wait")], Code.DeadlineExceeded, { "grpc-timeout": "30m" }],
    ["a deadline of nothing", [request("wait")], Code.DeadlineExceeded, { "grpc-timeout": "0n" }],
    ["the encoding that is none", [request("")], 0, { "grpc-encoding": "identity" }],
    [
      "a message in many pieces",
      [...[...large.subarray(0, 9)].map((byte) => Buffer.of(byte)), large.subarray(9)],
      0,
    ],
    ["no message", [], Code.Unimplemented],
    ["two messages", [request("a"), request("b")], Code.Unimplemented],
    [
      "two messages in one piece",
      [Buffer.concat([request("a"), request("b")])],
      Code.Unimplemented,
    ],
    ["half a message", [request("abc").subarray(0, 7)], Code.InvalidArgument],
    ["half a prefix", [request("abc").subarray(0, 3)], Code.InvalidArgument],
    [
      "something after the message",
      [Buffer.concat([request(""), Buffer.of(0)])],
      Code.InvalidArgument,
    ],
    ["a message that is none", [frame(Buffer.of(0xff, 0xff))], Code.InvalidArgument],
    ["a message that says it is compressed", [frame(Buffer.of(1), 1)], Code.Internal],
    ["a message over the limit", [request("x".repeat(100_001))], Code.ResourceExhausted],
  ])("%s", async (_name, chunks, code, headers) => {
    const served = await serve({ check, watch });

    const [short, long] = await both(served, path, chunks, headers);

    expect(factsOf(short)).toEqual(factsOf(long));
    expect(short.headers[":status"]).toBe(200);
    expect(short.trailers["grpc-status"]).toBe(String(code));
  });

  test("with interceptors that copy the request, and change the answer's headers", async () => {
    const key = createContextKey("none");
    const around: Interceptor = (next) => async (call) => {
      const contextValues = call.contextValues.set(key, "given");
      const header = new Headers(call.header);
      header.set("x-in", "changed");
      const response = await next({ ...call, header, contextValues });
      response.trailer.set("x-around", "1");
      const replaced = new Headers(response.header);
      replaced.set("x-replaced", "1");
      return { ...response, header: replaced };
    };
    const seen: unknown[] = [];
    const answer = (_request: unknown, context: HandlerContext) => {
      seen.push(context.values.get(key), context.requestHeader.get("x-in"));
      context.responseHeader.set("x-kept", "1");
      return {};
    };
    const served = await serve(
      {
        check: answer,
        async *watch(sent, context) {
          yield answer(sent, context);
        },
      },
      [around],
    );

    const [short, long] = await both(served, path, [request("")]);

    expect(seen).toEqual(["given", "changed", "given", "changed"]);
    expect(factsOf(short)).toEqual(factsOf(long));
    expect(short.headers).toMatchObject({ "x-replaced": "1" });
    expect(short.trailers).toMatchObject({ "x-around": "1", "grpc-status": "0" });
  });
});

describe("a plain stream of answers", () => {
  test.each<[string, Code | 0]>([
    ["@3", 0],
    ["headers@1", 0],
    ["engine error@2", Code.AlreadyExists],
    ["unknown error@1", Code.Internal],
    ["error with metadata@1", Code.NotFound],
    ["@20000", 0],
  ])("is what Connect's handler gives for %j", async (service, code) => {
    const served = await serve({ watch });

    const [short, long] = await both(served, watchPath, [request(service)]);

    expect(factsOf(short)).toEqual(factsOf(long));
    expect(short.trailers["grpc-status"]).toBe(String(code));
  });

  test("has its headers before its first message, when the service sends them", async () => {
    const served = await serve({
      async *watch(_request, context) {
        sendHeaders(context);
        await once(context.signal, "abort");
        yield {};
      },
    });
    const stream = openStream(served, watchPath);

    const [headers] = await once(stream, "response");

    expect(headers).toMatchObject({ ":status": 200, "content-type": "application/grpc+proto" });
    expect(headers).not.toHaveProperty("grpc-status");
    expect(served.taken).toEqual([watchPath]);
    stream.close(8);
  });

  test("ends the service's loop when the caller is gone, whatever the service looks at", async () => {
    const { promise: ended, resolve: end } = Promise.withResolvers<string>();
    const served = await serve({
      async *watch() {
        try {
          for (;;) {
            yield {};
          }
        } finally {
          end("ended");
        }
      },
    });
    const stream = openStream(served, watchPath);
    await once(stream, "response");

    stream.close(8);

    expect(await ended).toBe("ended");
    expect(served.taken).toEqual([watchPath]);
  });
});

test("a refused message does not hold up the connection that it came on", async () => {
  const served = await serve({ check });

  const refused = await send(served, [request("x".repeat(3_000_000))]);
  const next = await send(served, [request("")]);

  expect(refused.trailers["grpc-status"]).toBe(String(Code.ResourceExhausted));
  expect(next.trailers["grpc-status"]).toBe("0");
});

describe("Connect's handler gets", () => {
  test.each<[string, Record<string, string>, Uint8Array, Code | 0]>([
    [
      "compressed calls",
      { "grpc-encoding": "gzip" },
      frame(gzipSync(request("").subarray(5)), 1),
      0,
    ],
    ["unknown compression", { "grpc-encoding": "x" }, request(""), Code.Unimplemented],
    ["timeouts that are none", { "grpc-timeout": "1x" }, request(""), Code.InvalidArgument],
    ["JSON in gRPC", { "content-type": "application/grpc+json" }, frame(Buffer.from("{}")), 0],
  ])("%s", async (_name, headers, body, code) => {
    const served = await serve({ check });

    const { trailers } = await send(served, [body], headers);

    expect(trailers["grpc-status"]).toBe(String(code));
    expect(served.taken).toEqual([]);
  });

  test("a host of which no URL can be made", async () => {
    const served = await serve({ check });

    const { headers } = await send(served, [request("")], { ":authority": "[" });

    expect(headers[":status"]).toBe(400);
    expect(served.taken).toEqual([]);
  });
});

describe("the signal of a plain unary gRPC call", () => {
  function waiting() {
    const { promise: begun, resolve: begin } = Promise.withResolvers<AbortSignal>();
    const wait = async (_request: unknown, { signal }: HandlerContext) => {
      begin(signal);
      await once(signal, "abort");
      throw new EngineError("CANCELLED", "given up");
    };
    return { begun, wait };
  }

  test("tells that the caller cancelled", async () => {
    const { begun, wait } = waiting();
    const served = await serve({ check: wait });
    const stream = openStream(served, checkPath);
    const signal = await begun;

    stream.close(8);
    if (!signal.aborted) {
      await once(signal, "abort");
    }

    expect(signal.reason).toMatchObject({ code: Code.Canceled });
    expect(served.taken).toEqual([checkPath]);
  });

  test("tells that the server stops, which the caller learns", async () => {
    const { begun, wait } = waiting();
    const served = await serve({ check: wait });
    const answer = send(served, [request("")]);
    await begun;

    served.rpc.stop();

    expect((await answer).trailers).toMatchObject({
      "grpc-status": String(Code.Unavailable),
      "grpc-message": "shutting down",
    });
    expect(served.taken).toEqual([checkPath]);
  });

  test("is aborted when the call has its answer, and has no deadline then", async () => {
    let signal: AbortSignal | undefined;
    const served = await serve({
      check(_request, context) {
        signal = context.signal;
        return {};
      },
    });

    await send(served, [request("")], { "grpc-timeout": "1H" });

    expect(signal?.reason).toMatchObject({ code: Code.Canceled });
  });
});
