// SPDX-License-Identifier: Apache-2.0

import { ServerResponse } from "node:http";
import {
  type ContextValues,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import type { HttpResponse } from "../listen.js";

const senderKey = createContextKey<((headers: Headers) => void) | undefined>(undefined, {
  description: "sends the headers of a streaming call",
});

/** Context values with which `sendHeaders` works. `send` may be called more than once. */
export function createEarlyHeaders(send: (headers: Headers) => void): ContextValues {
  return createContextValues().set(senderKey, send);
}

/**
 * Sends the response headers of a streaming call now. Connect sends them with the first message,
 * but gRPC clients take a stream for connected only once they have its headers, and a worker's first
 * item may be hours away.
 */
export function sendHeaders(context: HandlerContext): void {
  context.values.get(senderKey)?.(context.responseHeader);
}

/** Sends headers before Connect does. */
export function sendByNode(response: HttpResponse, headers: Headers): void {
  if (response.headersSent) {
    return;
  }
  const all = Object.fromEntries(headers);
  if (response instanceof ServerResponse) {
    response.writeHead(200, all);
    response.flushHeaders();
  } else {
    response.writeHead(200, all);
  }
  // Connect writes them again before the first message, which Node would refuse.
  Object.defineProperty(response, "writeHead", { value: () => response });
}
