// SPDX-License-Identifier: Apache-2.0

import type { SecureClientSessionOptions } from "node:http2";
import type { Interceptor, Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { CallService } from "@pawl/protocol";
import type { ServerAccess, TlsOptions } from "./options.js";
import { CallStream } from "./remote/call/call-stream.js";
import { type CallStreamSource, StreamedTransport } from "./remote/call/streamed-transport.js";

/** Transports to one server that share a connection; a stream of calls has another. */
export interface ServerTransports {
  /** For calls: Connect over HTTP/2, or, while there are many, one gRPC stream for all. */
  readonly calls: Transport;
  /** gRPC, for the worker's stream. */
  readonly stream: Transport;
  /** Closes the connection and what runs on it. */
  close(): void;
}

/** The header that carries a token, as in Dapr. */
const tokenHeader = "dapr-api-token";

/** The header that says which of a server's components is meant. */
const componentHeader = "pawl-component";

/**
 * Megabytes that one connection may use: as good as no limit, as in grpc-js. What fills it is what callers have
 * asked to be sent, and Node breaks off whatever is called over its own 10.
 */
const sessionMemoryMb = Number.MAX_SAFE_INTEGER;

/** A connection that carries a stream is probed this often, in milliseconds. */
const pingIntervalMs = 20_000;

/** Transports over one HTTP/2 connection, which opens when it is needed and again when it broke. */
export function createServerTransports(
  baseUrl: string,
  access: ServerAccess = {},
): ServerTransports {
  const { token = process.env.DAPR_API_TOKEN ?? "", tls, component = "" } = access;
  const connect = () => new Http2SessionManager(baseUrl, { pingIntervalMs }, nodeOptions(tls));
  const sessionManager = connect();
  const callManager = connect();
  // Messages are small and most servers near: compression would cost more than it saves.
  const interceptors = [
    ...(token === "" ? [] : [sendToken(token)]),
    ...(component === "" ? [] : [sendComponent(component)]),
  ];
  const options = { baseUrl, sessionManager, acceptCompression: [], interceptors };
  const single = createConnectTransport({ ...options, httpVersion: "2", useBinaryFormat: true });
  const calls = new StreamedTransport(single, callStreams(baseUrl, callManager, token, component));
  return {
    calls,
    stream: createGrpcTransport(options),
    close() {
      calls.close();
      callManager.abort();
      sessionManager.abort();
    },
  };
}

/** Streams of calls over a connection that nothing else uses, so that they may let the process end. */
function callStreams(
  baseUrl: string,
  connection: Http2SessionManager,
  token: CallStreamSource["token"],
  component: string,
): CallStreamSource {
  const prefix = new URL(baseUrl).pathname.replace(/\/+$/, "");
  const path = `${prefix}/${CallService.typeName}/${CallService.method.call.name}`;
  return {
    token,
    async open(text) {
      const headers = {
        "content-type": "application/grpc+proto",
        te: "trailers",
        ...(text === "" ? {} : { [tokenHeader]: text }),
        ...(component === "" ? {} : { [componentHeader]: component }),
      };
      return new CallStream(await connection.request("POST", path, headers, { endStream: false }));
    },
  };
}

function nodeOptions({ serverName, ...pem }: TlsOptions = {}): SecureClientSessionOptions {
  const name = serverName === undefined ? {} : { servername: serverName };
  return { ...pem, ...name, maxSessionMemory: sessionMemoryMb };
}

/** Adds the token to every call, in the header that Dapr has for it. */
function sendToken(token: NonNullable<ServerAccess["token"]>): Interceptor {
  return (next) => async (request) => {
    const text = typeof token === "string" ? token : await token();
    if (text !== "") request.header.set(tokenHeader, text);
    return next(request);
  };
}

/** Says with every call which component is meant. */
function sendComponent(component: string): Interceptor {
  return (next) => (request) => {
    request.header.set(componentHeader, component);
    return next(request);
  };
}
