// SPDX-License-Identifier: Apache-2.0

import type { SecureClientSessionOptions } from "node:http2";
import type { Interceptor, Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import type { ServerAccess, TlsOptions } from "./options.js";

/** Transports to one server that share a connection. */
export interface ServerTransports {
  /** Connect over HTTP/2, for calls. */
  readonly calls: Transport;
  /** gRPC, for the worker's stream. */
  readonly stream: Transport;
  /** Closes the connection and what runs on it. */
  close(): void;
}

/** A connection that carries a stream is probed this often, in milliseconds. */
const pingIntervalMs = 20_000;

/** Transports over one HTTP/2 connection, which opens when it is needed and again when it broke. */
export function createServerTransports(
  baseUrl: string,
  { token = process.env.DAPR_API_TOKEN ?? "", tls }: ServerAccess = {},
): ServerTransports {
  const sessionManager = new Http2SessionManager(baseUrl, { pingIntervalMs }, nodeOptions(tls));
  // Messages are small and most servers near: compression would cost more than it saves.
  const interceptors = token === "" ? [] : [sendToken(token)];
  const options = { baseUrl, sessionManager, acceptCompression: [], interceptors };
  return {
    calls: createConnectTransport({ ...options, httpVersion: "2", useBinaryFormat: true }),
    stream: createGrpcTransport(options),
    close: () => sessionManager.abort(),
  };
}

function nodeOptions({ serverName, ...pem }: TlsOptions = {}): SecureClientSessionOptions {
  return serverName === undefined ? pem : { ...pem, servername: serverName };
}

/** Adds the token to every call, in the header that Dapr has for it. */
function sendToken(token: NonNullable<ServerAccess["token"]>): Interceptor {
  return (next) => async (request) => {
    const text = typeof token === "string" ? token : await token();
    if (text !== "") request.header.set("dapr-api-token", text);
    return next(request);
  };
}
