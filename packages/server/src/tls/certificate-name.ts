// SPDX-License-Identifier: Apache-2.0

import type { Http2Session } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { HttpRequest } from "../listen.js";

/** The names of connections that were asked for before; empty: none. */
const names = new WeakMap<object, string>();

/** The name of the certificate behind a request; see `certificateOf`. */
export function certificateOfRequest(request: HttpRequest): string | undefined {
  return certificateOf("stream" in request ? request.stream.session : request.socket);
}

/**
 * The subject of the certificate that a connection was made with, most specific part first
 * (`CN=orders,O=Acme`), as `openssl x509 -noout -subject -nameopt RFC2253` prints it; `undefined`
 * when there is none.
 */
export function certificateOf(connection: Socket | Http2Session | undefined): string | undefined {
  // A connection that has gone says nothing any more.
  if (connection === undefined || connection.destroyed) {
    return undefined;
  }
  let name = names.get(connection);
  if (name === undefined) {
    // A session gives a stand-in of its socket, on which `in` does not tell what it has.
    const socket: Socket | TLSSocket = "socket" in connection ? connection.socket : connection;
    const certificate = (socket as Partial<TLSSocket>).getPeerX509Certificate?.();
    name = certificate?.subject?.split("\n").reverse().join(",") ?? "";
    names.set(connection, name);
  }
  return name === "" ? undefined : name;
}
