// SPDX-License-Identifier: Apache-2.0

import type { Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";

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
export function createServerTransports(baseUrl: string): ServerTransports {
  const sessionManager = new Http2SessionManager(baseUrl, { pingIntervalMs });
  // Messages are small and most servers near: compression would cost more than it saves.
  const options = { baseUrl, sessionManager, acceptCompression: [] };
  return {
    calls: createConnectTransport({ ...options, httpVersion: "2", useBinaryFormat: true }),
    stream: createGrpcTransport(options),
    close: () => sessionManager.abort(),
  };
}
