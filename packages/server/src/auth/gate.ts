// SPDX-License-Identifier: Apache-2.0

import { type IncomingHttpHeaders, ServerResponse } from "node:http";
import { constants, type ServerHttp2Stream } from "node:http2";
import { EngineError, isEngineError } from "@pawl/engine";
import { TurnoverSet } from "@pawl/protocol";
import {
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
  refuseStream,
  type StreamHandler,
} from "../listen.js";
import type { ServerLogger } from "../options.js";
import { certificateOf, certificateOfRequest } from "../tls/certificate-name.js";
import { requireAdmission } from "./admission.js";
import type { Caller } from "./caller.js";
import type { Cors } from "./cors.js";
import { type Credentials, tokenHeader } from "./credentials.js";
import type { KnownHosts } from "./known-hosts.js";
import { accessOf, type Operation } from "./operation.js";
import { type RequestAccess, runWithAccess } from "./policy/access-context.js";
import type { Policy } from "./policy/policy.js";
import { encodeRefusal, type Refusal } from "./refusal.js";

/** What a gate needs to know. */
export interface GateOptions {
  readonly cors: Cors;
  /** Present: the connection does not vouch for the name by which callers take the server. */
  readonly hosts: KnownHosts | undefined;
  readonly credentials: Credentials;
  /** The operation that a request asks for; `undefined` when its path leads nowhere. */
  readonly operationOf: (method: string, url: string) => Operation | undefined;
  /** Present: what it does not allow is refused, here or by the engine that it guards. */
  readonly policy: (() => Policy) | undefined;
  /** Refuse over REST as Dapr does. */
  readonly strictDapr: boolean;
  readonly log: ServerLogger;
}

/** A call whose caller may lose the right to it. */
interface OpenCall {
  readonly answer: HttpResponse | ServerHttp2Stream;
  readonly caller: Caller;
}

/**
 * Where every request comes in, of every protocol, before it is routed: it is let in with its caller,
 * or answered here. Nothing of it but its headers has been read by then.
 */
export class Gate {
  readonly #options: GateOptions;
  readonly #open = new TurnoverSet<OpenCall>();

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Puts the gate in front of a handler. */
  guard(handler: HttpHandler): HttpHandler {
    return (request, response) => {
      const { method = "", url = "", headers } = request;
      const { cors } = this.#options;
      setHeaders(response, cors.answerHeaders(headers));
      const preflight = cors.preflightHeaders(method, headers);
      if (preflight !== undefined) {
        // Browsers ask without credentials, and learn nothing but what any page may call.
        setHeaders(response, preflight);
        response.statusCode = 204;
        response.end();
        return;
      }
      const admitted = this.admit(method, url, headers, certificateOfRequest(request));
      if ("status" in admitted) {
        refuse(request, response, admitted);
        return;
      }
      this.#keep(response, admitted.caller);
      this.#run(admitted, () => handler(request, response));
    };
  }

  /** Puts the gate in front of a handler of streams. */
  guardStreams(handler: StreamHandler): StreamHandler {
    return {
      takes: (headers) => handler.takes(headers),
      handle: (stream, headers) => {
        const { ":method": method = "", ":path": path = "" } = headers;
        const admitted = this.admit(method, path, headers, certificateOf(stream.session));
        if ("status" in admitted) {
          refuseStream(stream, admitted);
          return;
        }
        this.#keep(stream, admitted.caller);
        this.#run(admitted, () => handler.handle(stream, headers));
      },
    };
  }

  /**
   * Decides on a request by its headers, from which it takes the credentials away, so that nothing
   * behind the gate can tell or log them.
   */
  admit(
    method: string,
    url: string,
    headers: IncomingHttpHeaders,
    certificate: string | undefined,
  ): RequestAccess | Refusal {
    try {
      return this.#identify(method, url, headers, certificate);
    } catch (error) {
      const known = isEngineError(error) ? error : new EngineError("INTERNAL", "internal error");
      const path = url.split("?", 1)[0] ?? "";
      this.#options.log.info({ method, path, code: known.code }, "request refused");
      const contentType = headers["content-type"] ?? "";
      return encodeRefusal(known, { path, contentType }, this.#options.strictDapr);
    } finally {
      delete headers[tokenHeader];
      delete headers.authorization;
    }
  }

  /** Ends the open calls of callers whose token is no longer known: worker streams, waits. */
  endRevoked(): void {
    for (const [, { answer, caller }] of this.#open) {
      if (!this.#options.credentials.isValid(caller)) {
        breakOff(answer);
      }
    }
  }

  /** Remembers an open call, as long as its caller may lose the right to it. */
  #keep(answer: HttpResponse | ServerHttp2Stream, caller: Caller): void {
    if (caller.token !== undefined) {
      const call = { answer, caller };
      const place = this.#open.add(call);
      answer.once("close", () => this.#open.delete(place, call));
    }
  }

  #identify(
    method: string,
    url: string,
    headers: IncomingHttpHeaders,
    certificate: string | undefined,
  ): RequestAccess {
    const { cors, credentials, hosts, operationOf, policy } = this.#options;
    cors.requireKnownPage(headers);
    if (!credentials.required) {
      hosts?.require(headers);
    }
    const operation = operationOf(method, url);
    if (operation !== undefined && accessOf(operation) === "anybody") {
      return { caller: open, operation };
    }
    const caller = credentials.identify(headers, certificate);
    requireAdmission(caller, operation, policy);
    return { caller, operation };
  }

  /** Only a policy asks, further on, who it was, and a stream whose calls are let in one by one. */
  #run(access: RequestAccess, answer: () => void): void {
    if (this.#options.policy === undefined && access.operation !== "call") {
      answer();
    } else {
      runWithAccess(access, answer);
    }
  }
}

/**
 * Ends a call at once. Over HTTP/2 with the code that gRPC reads as PERMISSION_DENIED: without one, as the stream
 * is destroyed, some clients wait for ever for an answer that had not begun.
 */
function breakOff(answer: HttpResponse | ServerHttp2Stream): void {
  if (answer instanceof ServerResponse) {
    answer.destroy();
    return;
  }
  const stream = "stream" in answer ? answer.stream : answer;
  stream.close(constants.NGHTTP2_INADEQUATE_SECURITY);
}

/** Whoever asks for what is open to anybody. */
const open: Caller = { names: [], scopes: new Set() };

/** Answers, and lets go of the body: what of it is on its way is read and thrown away. */
function refuse(request: HttpRequest, response: HttpResponse, refusal: Refusal): void {
  request.resume();
  response.statusCode = refusal.status;
  setHeaders(response, refusal.headers);
  if (!refusal.headers["content-type"]?.startsWith("application/grpc")) {
    response.setHeader("content-length", Buffer.byteLength(refusal.body));
  }
  if (request.method === "HEAD" || refusal.body.length === 0) {
    // Not with empty text, which would make the headers end before the answer: see `refuseStream`.
    response.end();
  } else {
    response.end(refusal.body);
  }
}

function setHeaders(response: HttpResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    response.setHeader(name, value);
  }
}
