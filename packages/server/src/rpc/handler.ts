// SPDX-License-Identifier: Apache-2.0

import type { IncomingMessage } from "node:http";
import { constants, type Http2ServerRequest } from "node:http2";
import {
  createRegistry,
  type DescMethod,
  type DescService,
  type Registry,
} from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createConnectRouter,
  createContextValues,
  createServiceImplSpec,
  type Interceptor,
  type ServiceImpl,
} from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest } from "@connectrpc/connect/protocol";
import { errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import { universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { EngineError } from "@pawl/engine";
import { errorMap } from "../error-map.js";
import { createErrorInterceptor, type DetailRule, toConnectError } from "../interceptor/error.js";
import { shortenMessage } from "../interceptor/error-size.js";
import { rpcLimits } from "../interceptor/limit.js";
import { createFailureLog } from "../interceptor/log.js";
import { countDecompressed, countedBody, countedEnvelopes } from "../limit/counted-body.js";
import { MessageCount } from "../limit/message-count.js";
import type { HttpHandler, HttpRequest, HttpResponse, StreamHandler } from "../listen.js";
import type { ServerLogger } from "../options.js";
import { nameComponent } from "./component-value.js";
import { createEarlyHeaders, sendByNode } from "./early-headers.js";
import { clarifyErrors } from "./error.js";
import { encodeGrpcMessage } from "./grpc-status.js";
import { toWebHeaders } from "./headers.js";
import { PlainGrpc, type ServiceOptions } from "./plain-grpc.js";
import type { PlainMethod } from "./plain-method.js";
import { answered, hungUp, shuttingDown } from "./reason.js";

/** Takes services; the options of one override those of all, as in Connect's router. */
export interface ServiceRouter {
  service<Service extends DescService>(
    service: Service,
    implementation: Partial<ServiceImpl<Service>>,
    options?: ServiceOptions,
  ): ServiceRouter;
  /** A method of the services taken so far, by service and name; see `PlainGrpc.find`. */
  find(procedure: string): PlainMethod | undefined;
}

/** How calls are served. */
export interface RpcOptions {
  /** Bytes that one message may have. @default 4 MiB */
  readonly readMaxBytes?: number;
  /** Types of messages in `google.protobuf.Any`, for JSON. @default none */
  readonly registry?: Registry;
  /** Which services' errors carry a `pawl.v1.ErrorDetail`. @default all */
  readonly hasDetail?: DetailRule;
}

/**
 * Serves RPCs in Connect, gRPC and gRPC-Web, and hands every other path on. Used in place of
 * connect-node's adapter, whose handler throws (and so ends the process) on a request with a bad or
 * missing Host header, and which has no way to end open calls from the server's side.
 */
export class RpcHandler {
  readonly #handlers = new Map<string, UniversalHandler>();
  /** By the path to which those of their methods are added. */
  readonly #services = new Map<string, DescService>();
  readonly #plain: PlainGrpc;
  readonly #open = new Set<AbortController>();
  readonly #fallback: HttpHandler;
  readonly #log: ServerLogger;
  readonly #hasDetail: DetailRule;

  constructor(
    register: (router: ServiceRouter, interceptors: readonly Interceptor[]) => void,
    fallback: HttpHandler,
    log: ServerLogger,
    { hasDetail = () => true, registry = createRegistry(), ...limits }: RpcOptions = {},
  ) {
    this.#fallback = fallback;
    this.#log = log;
    this.#hasDetail = hasDetail;
    const report = createFailureLog(log);
    const errors = createErrorInterceptor(report, hasDetail);
    const interceptors = [errors];
    const jsonOptions = { registry };
    const options = { ...rpcLimits, ...limits, jsonOptions, interceptors };
    const router = createConnectRouter(options);
    this.#plain = new PlainGrpc(report, hasDetail, errors);
    const services: ServiceRouter = {
      service: (service, implementation, own) => {
        for (const { method, impl } of Object.values(
          createServiceImplSpec(service, implementation).methods,
        )) {
          router.rpc(method, impl, {
            ...own,
            ...countedCompression(method),
            jsonOptions: { ...jsonOptions, ...own?.jsonOptions },
          });
        }
        this.#plain.add(service, implementation, { ...options, ...own });
        return services;
      },
      find: (procedure) => this.#plain.find(procedure),
    };
    register(services, interceptors);
    for (const handler of router.handlers) {
      this.#handlers.set(handler.requestPath, handler);
      this.#services.set(`/${handler.service.typeName}`, handler.service);
    }
  }

  /** Answers plain gRPC calls; see `PlainGrpc`. */
  get streams(): StreamHandler {
    return this.#plain;
  }

  /** Answers one request. */
  readonly handle: HttpHandler = (request, response) => {
    const url = request.url ?? "";
    const queryAt = url.indexOf("?");
    const path = queryAt < 0 ? url : url.slice(0, queryAt);
    const handler = this.#handlers.get(path);
    const service = this.#services.get(path.slice(0, path.lastIndexOf("/")));
    if (handler !== undefined) {
      void this.#call(handler, request, response);
    } else if (request.headers["content-type"]?.startsWith("application/grpc") === true) {
      refuseUnknownRpc(request, response, url);
    } else if (service !== undefined) {
      refuseUnknownMethod(request, response, path, this.#hasDetail(service));
    } else {
      this.#fallback(request, response);
    }
  };

  /** Ends every open call with UNAVAILABLE. */
  stop(): void {
    this.#plain.stop(shuttingDown);
    for (const call of this.#open) {
      call.abort(shuttingDown);
    }
  }

  async #call(
    handler: UniversalHandler,
    request: HttpRequest,
    response: HttpResponse,
  ): Promise<void> {
    try {
      const call = this.#openCall(handler, request, response);
      const answer = await clarifyErrors(
        await handler(call),
        handler,
        this.#hasDetail(handler.service),
      );
      await universalResponseToNodeResponse(answer, response);
    } catch (error) {
      this.#fail(handler, response, error);
    }
  }

  /**
   * The request in Connect's form, with a signal that `stop` aborts too.
   * @throws TypeError when its host makes no URL
   */
  #openCall(
    handler: UniversalHandler,
    request: HttpRequest,
    response: HttpResponse,
  ): UniversalServerRequest {
    const isStream = handler.method.methodKind !== "unary";
    const isHttp1 = request.httpVersionMajor === 1;
    const url = urlOf(request);
    const controller = new AbortController();
    this.#open.add(controller);
    // Node tells of every exchange's end, however it ends; of HTTP/1.1's requests too early.
    (isHttp1 ? response : request).once("close", () => {
      this.#open.delete(controller);
      controller.abort(response.writableFinished ? answered : hungUp);
    });
    if ("stream" in request) {
      letGo(request);
    }
    return {
      httpVersion: request.httpVersion,
      method: request.method ?? "",
      url,
      header: toWebHeaders(request.headers),
      body: countMessages(
        "stream" in request ? request : keptBody(request, response),
        handler,
        request,
      ),
      signal: controller.signal,
      contextValues: nameComponent(
        isStream
          ? createEarlyHeaders((headers) => sendByNode(response, headers))
          : createContextValues(),
        request.headers,
      ),
    };
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

/** What is unpacked of a method's requests is counted, too. */
function countedCompression({ input }: DescMethod): Pick<ServiceOptions, "acceptCompression"> {
  const count = new MessageCount(input);
  const { acceptCompression } = rpcLimits;
  return { acceptCompression: acceptCompression.map((one) => countDecompressed(one, count)) };
}

/** The body of a request; it fails when there is too much in one of its messages. */
function countMessages(
  body: AsyncIterable<Uint8Array>,
  { method }: UniversalHandler,
  { headers }: HttpRequest,
): AsyncIterable<Uint8Array> {
  const count = new MessageCount(method.input);
  if (!/^application\/(?:json|proto)/i.test(headers["content-type"] ?? "")) {
    return countedEnvelopes(body, count);
  }
  const isPlain = (headers["content-encoding"] ?? "identity") === "identity";
  return isPlain ? countedBody(body, count) : body;
}

/** @throws TypeError when the host makes no URL, or is missing */
function urlOf(request: HttpRequest): string {
  const scheme = "encrypted" in request.socket && request.socket.encrypted ? "https" : "http";
  const authority = "authority" in request ? request.authority : request.headers.host;
  return new URL(request.url ?? "", `${scheme}://${authority ?? ""}`).toString();
}

/**
 * The body of an HTTP/1.1 request, as a stream that may be left early without harm to its
 * connection: what is not read is dropped once the answer is out.
 */
function keptBody(request: IncomingMessage, response: HttpResponse): AsyncIterable<Uint8Array> {
  response.once("finish", () => request.resume());
  return request.iterator({ destroyOnReturn: false });
}

/**
 * Tells an HTTP/2 client that is still sending when it has its answer to stop (RFC 9113, section
 * 8.1). Else it would wait for ever for us to read what it has left.
 */
function letGo({ stream }: Http2ServerRequest): void {
  // Node asks for the trailers of every response, when all else of it is on its way.
  stream.once("wantTrailers", () => {
    setImmediate(() => {
      if (!stream.readableEnded) {
        stream.close(constants.NGHTTP2_NO_ERROR);
      }
    });
  });
}

/** Answers a gRPC call to a method that does not exist, in gRPC's own terms. */
function refuseUnknownRpc(request: HttpRequest, response: HttpResponse, path: string): void {
  request.resume();
  response.statusCode = 200;
  response.setHeader("content-type", request.headers["content-type"] ?? "application/grpc");
  response.setHeader("grpc-status", String(Code.Unimplemented));
  response.setHeader("grpc-message", encodeGrpcMessage(shortenMessage(`unknown method ${path}`)));
  response.end();
}

/** The same to callers of a service in Connect, and in what is no protocol. */
function refuseUnknownMethod(
  request: HttpRequest,
  response: HttpResponse,
  path: string,
  isDetailed: boolean,
): void {
  request.resume();
  const error = new EngineError("UNIMPLEMENTED", `unknown method ${path}`);
  response.statusCode = errorMap.UNIMPLEMENTED.http;
  response.setHeader("content-type", "application/json");
  response.end(errorToJsonBytes(toConnectError(error, { isDetailed }), undefined));
}
