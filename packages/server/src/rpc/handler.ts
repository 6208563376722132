// SPDX-License-Identifier: Apache-2.0

import {
  Code,
  ConnectError,
  type ConnectRouter,
  createConnectRouter,
  type Interceptor,
} from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest } from "@connectrpc/connect/protocol";
import {
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { createErrorInterceptor } from "../interceptor/error.js";
import { rpcLimits } from "../interceptor/limit.js";
import { createFailureLog } from "../interceptor/log.js";
import type { HttpHandler, HttpRequest, HttpResponse } from "../listen.js";
import type { ServerLogger } from "../options.js";
import { createEarlyHeaders } from "./early-headers.js";
import { clarifyErrors } from "./error.js";

/**
 * Serves RPCs in Connect, gRPC and gRPC-Web, and hands every other path on. Used in place of
 * connect-node's adapter, whose handler throws (and so ends the process) on a request with a bad or
 * missing Host header, and which has no way to end open calls from the server's side.
 */
export class RpcHandler {
  readonly #handlers = new Map<string, UniversalHandler>();
  readonly #open = new Set<AbortController>();
  readonly #fallback: HttpHandler;
  readonly #log: ServerLogger;

  constructor(
    register: (router: ConnectRouter, interceptors: readonly Interceptor[]) => void,
    fallback: HttpHandler,
    log: ServerLogger,
  ) {
    this.#fallback = fallback;
    this.#log = log;
    const interceptors = [createErrorInterceptor(createFailureLog(log))];
    const router = createConnectRouter({ ...rpcLimits, interceptors });
    register(router, interceptors);
    for (const handler of router.handlers) {
      this.#handlers.set(handler.requestPath, handler);
    }
  }

  /** Answers one request. */
  readonly handle: HttpHandler = (request, response) => {
    const url = request.url ?? "";
    const queryAt = url.indexOf("?");
    const handler = this.#handlers.get(queryAt < 0 ? url : url.slice(0, queryAt));
    if (handler !== undefined) {
      void this.#call(handler, request, response);
    } else if (request.headers["content-type"]?.startsWith("application/grpc") === true) {
      refuseUnknownRpc(request, response, url);
    } else {
      this.#fallback(request, response);
    }
  };

  /** Ends every open call with UNAVAILABLE. */
  stop(): void {
    const reason = new ConnectError("shutting down", Code.Unavailable);
    for (const call of this.#open) {
      call.abort(reason);
    }
  }

  async #call(
    handler: UniversalHandler,
    request: HttpRequest,
    response: HttpResponse,
  ): Promise<void> {
    try {
      const call = this.#openCall(handler, request, response);
      await universalResponseToNodeResponse(await clarifyErrors(await handler(call)), response);
    } catch (error) {
      this.#fail(handler, response, error);
    }
  }

  /** The request in Connect's form, with a signal that `stop` aborts too. */
  #openCall(
    handler: UniversalHandler,
    request: HttpRequest,
    response: HttpResponse,
  ): UniversalServerRequest {
    const contextValues =
      handler.method.methodKind === "unary" ? undefined : createEarlyHeaders(response);
    const call = universalRequestFromNodeRequest(request, response, undefined, contextValues);
    const controller = new AbortController();
    this.#open.add(controller);
    // Node tells of every request's end, however it ends.
    call.signal.addEventListener("abort", () => {
      this.#open.delete(controller);
      controller.abort(call.signal.reason);
    });
    const { signal } = controller;
    return request.httpVersionMajor === 1
      ? { ...call, signal, body: keptBody(request, response) }
      : { ...call, signal };
  }

  /** Reached when the request makes no sense or the peer is gone, never by what a service throws. */
  #fail(handler: UniversalHandler, response: HttpResponse, error: unknown): void {
    const { code } = ConnectError.from(error);
    if (code !== Code.Aborted) {
      this.#log.debug({ procedure: handler.requestPath, err: error }, "answer not sent");
    }
    if (!response.headersSent) {
      response.statusCode = 400;
      response.end();
    } else {
      response.destroy();
    }
  }
}

/**
 * The body of an HTTP/1.1 request, as a stream that may be left early without harm to its
 * connection: what is not read is dropped once the answer is out.
 */
function keptBody(request: HttpRequest, response: HttpResponse): AsyncIterable<Uint8Array> {
  response.once("finish", () => request.resume());
  return request.iterator({ destroyOnReturn: false });
}

/** Answers a gRPC call to a method that does not exist, in gRPC's own terms. */
function refuseUnknownRpc(request: HttpRequest, response: HttpResponse, path: string): void {
  request.resume();
  response.statusCode = 200;
  response.setHeader("content-type", request.headers["content-type"] ?? "application/grpc");
  response.setHeader("grpc-status", String(Code.Unimplemented));
  response.setHeader("grpc-message", encodeURIComponent(`unknown method ${path}`));
  response.end();
}
