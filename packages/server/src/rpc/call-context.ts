// SPDX-License-Identifier: Apache-2.0

import type { IncomingHttpHeaders } from "node:http2";
import type { DescMethod } from "@bufbuild/protobuf";
import {
  type ConnectError,
  type ContextValues,
  createContextValues,
  type HandlerContext,
  type StreamRequest,
  type StreamResponse,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { setAlarm } from "@pawl/protocol";
import { type HasNodeHeaders, nodeHeaders, toWebHeaders } from "./headers.js";
import { createLazyFields } from "./lazy-fields.js";
import { answered, timedOut } from "./reason.js";

/** The units of `grpc-timeout`, in milliseconds. */
const timeoutUnitsMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** What interceptors pass on of a request, beside its message. */
type Passed = Pick<UnaryRequest | StreamRequest, "url" | "signal" | "header" | "contextValues">;
type KindOfRequest =
  | Pick<UnaryRequest, "stream" | "method" | "message">
  | Pick<StreamRequest, "stream" | "method" | "message">;
type KindOfResponse =
  | Pick<UnaryResponse, "stream" | "method" | "message">
  | Pick<StreamResponse, "stream" | "method" | "message">;

/** What a service gets of a call. A class, since a literal would make every getter anew for each call. */
class PlainHandlerContext implements HandlerContext, HasNodeHeaders {
  readonly [nodeHeaders]: IncomingHttpHeaders;
  readonly method: DescMethod;
  readonly protocolName = "grpc";
  readonly requestMethod = "POST";
  readonly #context: CallContext;
  readonly #request: Passed;

  constructor(
    context: CallContext,
    headers: IncomingHttpHeaders,
    method: DescMethod,
    request: Passed,
  ) {
    this[nodeHeaders] = headers;
    this.#context = context;
    this.method = method;
    this.#request = request;
  }

  get service(): HandlerContext["service"] {
    return this.method.parent;
  }

  get url(): string {
    return this.#request.url;
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }

  get requestHeader(): Headers {
    return this.#request.header;
  }

  get responseHeader(): Headers {
    return this.#context.responseHeader;
  }

  get responseTrailer(): Headers {
    return this.#context.responseTrailer;
  }

  get values(): ContextValues {
    return this.#request.contextValues;
  }

  timeoutMs(): number | undefined {
    return this.#context.timeoutMs();
  }
}

/**
 * What interceptors and services may ask of a gRPC call: its signal with the deadline's timer,
 * headers in the web's form, values. Few do, so each is made when it is asked for.
 */
export class CallContext {
  readonly #headers: IncomingHttpHeaders;
  readonly #deadline: number | undefined;
  #reason: ConnectError | undefined;
  #controller: AbortController | undefined;
  #cancelTimer: (() => void) | undefined;
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;
  #response: object | undefined;
  #values: ContextValues | undefined;

  constructor(headers: IncomingHttpHeaders) {
    this.#headers = headers;
    const timeout = headers["grpc-timeout"];
    if (typeof timeout === "string") {
      const unitMs = timeoutUnitsMs[timeout.slice(-1)] ?? Number.NaN;
      this.#deadline = performance.now() + Number(timeout.slice(0, -1)) * unitMs;
    }
  }

  /** Tells whoever looks at the signal. The first reason counts. */
  abort(reason: ConnectError): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }

  /** The call is over: nothing of it is waited for any more. */
  end(): void {
    this.#cancelTimer?.();
    this.abort(answered);
  }

  /** Headers and trailers that the service has set; undefined where it has not. */
  get answer(): { readonly header: Headers | undefined; readonly trailer: Headers | undefined } {
    return { header: this.#responseHeader, trailer: this.#responseTrailer };
  }

  /** Headers and trailers of a response that interceptors have passed on, likewise. */
  answerOf(
    response: UnaryResponse | StreamResponse,
  ): Readonly<Record<"header" | "trailer", Headers | undefined>> {
    // An interceptor may have put others in their place.
    return response === this.#response ? this.answer : response;
  }

  get responseHeader(): Headers {
    this.#responseHeader ??= new Headers();
    return this.#responseHeader;
  }

  set responseHeader(header: Headers) {
    this.#responseHeader = header;
  }

  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  /** Values that are there from the beginning. */
  set values(values: ContextValues) {
    this.#values = values;
  }

  /** The request as interceptors get it. A copy that one of them makes has everything, too. */
  toRequest<Kind extends KindOfRequest>(kind: Kind) {
    return withRequest({ ...kind, service: kind.method.parent, requestMethod: "POST" }, this);
  }

  /** The response as interceptors get it. */
  toResponse<Kind extends KindOfResponse>(kind: Kind) {
    const response = withResponse({ ...kind, service: kind.method.parent }, this);
    this.#response = response;
    return response;
  }

  /** The context as the service gets it; with the request that interceptors passed on, if any did. */
  toHandlerContext(method: DescMethod, request: Passed = this): HandlerContext {
    return new PlainHandlerContext(this, this.#headers, method, request);
  }

  /** The URL of the call. */
  get url(): string {
    const { ":scheme": scheme, ":authority": authority, ":path": path } = this.#headers;
    return new URL(path ?? "/", `${scheme ?? "http"}://${authority ?? ""}`).toString();
  }

  /** The headers of the request. */
  get header(): Headers {
    this.#requestHeader ??= toWebHeaders(this.#headers);
    return this.#requestHeader;
  }

  /** Values for whoever comes after. */
  get contextValues(): ContextValues {
    this.#values ??= createContextValues();
    return this.#values;
  }

  /** Milliseconds until the deadline, if there is one. */
  timeoutMs(): number | undefined {
    return this.#deadline === undefined ? undefined : this.#deadline - performance.now();
  }

  /** Aborted when the call is given up, and when it has ended. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.#armDeadline();
      if (this.#reason !== undefined) {
        this.#controller.abort(this.#reason);
      }
    }
    return this.#controller.signal;
  }

  #armDeadline(): void {
    const leftMs = this.timeoutMs();
    if (leftMs === undefined || this.#reason !== undefined) {
      return;
    }
    if (leftMs <= 0) {
      this.abort(timedOut);
    } else {
      this.#cancelTimer = setAlarm(leftMs, () => this.abort(timedOut));
    }
  }
}

const withRequest = createLazyFields({
  url: (context: CallContext) => context.url,
  signal: (context: CallContext) => context.signal,
  header: (context: CallContext) => context.header,
  contextValues: (context: CallContext) => context.contextValues,
});

const withResponse = createLazyFields({
  header: (context: CallContext) => context.responseHeader,
  trailer: (context: CallContext) => context.responseTrailer,
});
