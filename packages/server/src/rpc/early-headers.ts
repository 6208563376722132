// SPDX-License-Identifier: Apache-2.0

import { ServerResponse } from "node:http";
import {
  type ContextValues,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import type { HttpResponse } from "../listen.js";

const responseKey = createContextKey<HttpResponse | undefined>(undefined, {
  description: "the HTTP response of a streaming call",
});

/** Context values with which `sendHeaders` works. */
export function createEarlyHeaders(response: HttpResponse): ContextValues {
  return createContextValues().set(responseKey, response);
}

/**
 * Sends the response headers of a streaming call now. Connect sends them with the first message,
 * but gRPC clients take a stream for connected only once they have its headers, and a worker's first
 * item may be hours away.
 */
export function sendHeaders(context: HandlerContext): void {
  const response = context.values.get(responseKey);
  if (response === undefined || response.headersSent) {
    return;
  }
  const headers = Object.fromEntries(context.responseHeader);
  if (response instanceof ServerResponse) {
    response.writeHead(200, headers);
    response.flushHeaders();
  } else {
    response.writeHead(200, headers);
  }
  // Connect writes them again before the first message, which Node would refuse.
  Object.defineProperty(response, "writeHead", { value: () => response });
}
