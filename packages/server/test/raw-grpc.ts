// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
} from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import type { Interceptor, ServiceImpl } from "@connectrpc/connect";
import { Health } from "@pawl/protocol";
import { HealthCheckRequestSchema } from "@pawl/protocol/grpc";
import { afterEach } from "vitest";
import { Listener } from "../src/listen.js";
import { RpcHandler } from "../src/rpc/handler.js";

/** A unary method of the service that `serve` serves. */
export const checkPath = "/grpc.health.v1.Health/Check";
/** A method of it that answers with a stream. */
export const watchPath = "/grpc.health.v1.Health/Watch";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});

/** A served service. */
export interface Served {
  readonly rpc: RpcHandler;
  readonly session: ClientHttp2Session;
  /** Streams that went the short way. */
  readonly taken: string[];
}

/** Serves one service on a port of its own, and connects to it. */
export async function serve(
  service: Partial<ServiceImpl<typeof Health>>,
  interceptors: readonly Interceptor[] = [],
  readMaxBytes = 100_000,
): Promise<Served> {
  const taken: string[] = [];
  const rpc = new RpcHandler(
    (router, common) =>
      router.service(Health, service, { interceptors: [...common, ...interceptors], readMaxBytes }),
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

/** What came back. */
export interface Answer {
  readonly headers: IncomingHttpHeaders;
  /** Trailers, or the headers of an answer that has nothing else. */
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Asks a method about no service, and leaves the stream with its answer open. */
export function openStream({ session }: Served, path: string): ClientHttp2Stream {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
  });
  stream.on("error", () => {});
  stream.end(request(""));
  return stream;
}

/** Sends one call in the chunks given, and reads its answer. */
export async function send(
  { session }: Served,
  chunks: readonly Uint8Array[],
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const stream = session.request({
    ":method": "POST",
    ":path": checkPath,
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
export function factsOf({ headers, trailers, body }: Answer) {
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

/** A gRPC message with its prefix. */
export function frame(message: Uint8Array, flags = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([prefix, message]);
}

/** A request for the state of a service, as it travels. */
export function request(service: string): Buffer {
  return frame(toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service })));
}
