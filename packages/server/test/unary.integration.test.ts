// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createContextKey,
  type HandlerContext,
  type Interceptor,
  type ServiceImpl,
} from "@connectrpc/connect";
import { EngineError } from "@pawl/engine";
import { Health } from "@pawl/protocol";
import {
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "@pawl/protocol/grpc";
import { afterEach, describe, expect, test } from "vitest";
import { Listener } from "../src/listen.js";
import { RpcHandler } from "../src/rpc/handler.js";

const path = "/grpc.health.v1.Health/Check";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});

interface Served {
  readonly rpc: RpcHandler;
  readonly session: ClientHttp2Session;
  /** Streams that went the short way. */
  readonly taken: string[];
}

/** Serves one service on a port of its own, and connects to it. */
async function serve(
  check: ServiceImpl<typeof Health>["check"],
  interceptors: readonly Interceptor[] = [],
  readMaxBytes = 100_000,
): Promise<Served> {
  const taken: string[] = [];
  const rpc = new RpcHandler(
    (router, common) =>
      router.service(
        Health,
        { check },
        { interceptors: [...common, ...interceptors], readMaxBytes },
      ),
    (_request, response) => response.end(),
    silent,
  );
  const { streams } = rpc;
  const listener = new Listener(
    rpc.handle,
    {},
    {
      takes: (headers) => streams.takes(headers),
      handle: (stream, headers) => {
        taken.push(headers[":path"] ?? "");
        streams.handle(stream, headers);
      },
    },
  );
  const session = connect(`http://127.0.0.1:${await listener.listen("127.0.0.1", 0)}`);
  open.push(async () => {
    session.close();
    await listener.close(0);
  });
  return { rpc, session, taken };
}

interface Answer {
  readonly headers: IncomingHttpHeaders;
  /** Trailers, or the headers of an answer that has nothing else. */
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends one call in the chunks given, and reads its answer. */
async function send(
  { session }: Served,
  chunks: readonly Uint8Array[],
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  const answer = { headers: {}, trailers: {}, body: [] as Buffer[] };
  stream.on("response", (received) => Object.assign(answer.headers, received));
  stream.on("trailers", (received) => Object.assign(answer.trailers, received));
  stream.on("data", (chunk: Buffer) => answer.body.push(chunk));
  stream.on("error", () => {});
  for (const chunk of chunks) {
    stream.write(chunk);
  }
  stream.end();
  await once(stream, "close");
  const trailers = "grpc-status" in answer.headers ? answer.headers : answer.trailers;
  return { headers: answer.headers, trailers, body: Buffer.concat(answer.body) };
}

/** What a caller can tell of an answer, whichever way it came. */
function factsOf({ headers, trailers, body }: Answer) {
  const own = (all: IncomingHttpHeaders) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith("x-")));
  return {
    status: headers[":status"],
    type: headers["content-type"],
    grpcStatus: trailers["grpc-status"],
    message: trailers["grpc-message"],
    details: trailers["grpc-status-details-bin"],
    ownHeaders: headers === trailers ? {} : own(headers),
    ownTrailers: own(trailers),
    body: body.toString("hex"),
  };
}

function frame(message: Uint8Array, flags = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([prefix, message]);
}

function request(service: string): Buffer {
  return frame(toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service })));
}

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

/** The two ways: the second path is not one that the short way knows. */
async function both(
  served: Served,
  chunks: readonly Uint8Array[],
  headers: Readonly<Record<string, string>> = {},
): Promise<[Answer, Answer]> {
  const before = served.taken.length;
  const short = await send(served, chunks, headers);
  expect(served.taken.length).toBe(before + 1);
  const long = await send(served, chunks, { ...headers, ":path": `${path}?` });
  expect(served.taken.length).toBe(before + 1);
  return [short, long];
}

describe("a plain unary gRPC call has the answer that Connect's handler gives", () => {
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
    const served = await serve(check);

    const [short, long] = await both(served, chunks, headers);

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
    const served = await serve(
      (_request, context) => {
        seen.push(context.values.get(key), context.requestHeader.get("x-in"));
        context.responseHeader.set("x-kept", "1");
        return {};
      },
      [around],
    );

    const [short, long] = await both(served, [request("")]);

    expect(seen).toEqual(["given", "changed", "given", "changed"]);
    expect(factsOf(short)).toEqual(factsOf(long));
    expect(short.headers).toMatchObject({ "x-replaced": "1", "x-kept": "1" });
    expect(short.trailers).toMatchObject({ "x-around": "1", "grpc-status": "0" });
  });
});

test("a refused message does not hold up the connection that it came on", async () => {
  const served = await serve(check);

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
    const served = await serve(check);

    const { trailers } = await send(served, [body], headers);

    expect(trailers["grpc-status"]).toBe(String(code));
    expect(served.taken).toEqual([]);
  });

  test("a host of which no URL can be made", async () => {
    const served = await serve(check);

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
    const served = await serve(wait);
    const stream = served.session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
    });
    stream.on("error", () => {});
    stream.end(request(""));
    const signal = await begun;

    stream.close(8);
    if (!signal.aborted) {
      await once(signal, "abort");
    }

    expect(signal.reason).toMatchObject({ code: Code.Canceled });
    expect(served.taken).toEqual([path]);
  });

  test("tells that the server stops, which the caller learns", async () => {
    const { begun, wait } = waiting();
    const served = await serve(wait);
    const answer = send(served, [request("")]);
    await begun;

    served.rpc.stop();

    expect((await answer).trailers).toMatchObject({
      "grpc-status": String(Code.Unavailable),
      "grpc-message": "shutting%20down",
    });
    expect(served.taken).toEqual([path]);
  });

  test("is aborted when the call has its answer, and has no deadline then", async () => {
    let signal: AbortSignal | undefined;
    const served = await serve((_request, context) => {
      signal = context.signal;
      return {};
    });

    await send(served, [request("")], { "grpc-timeout": "1H" });

    expect(signal?.reason).toMatchObject({ code: Code.Canceled });
  });
});
