// SPDX-License-Identifier: Apache-2.0

import { Readable } from "node:stream";
import { isEngineError } from "@pawl/engine";
import { DaprError } from "../dapr/error.js";
import { errorMap } from "../error-map.js";
import { shortenMessage } from "../interceptor/error-size.js";
import type { HttpHandler, HttpRequest, HttpResponse } from "../listen.js";
import type { ServerLogger } from "../options.js";
import { toJsonText } from "./exact-json.js";
import {
  decodeSegment,
  hasBadEscape,
  parseQuery,
  type RestMatch,
  type RestReply,
  type RestRouter,
} from "./router.js";
import { refuseUnknownPath } from "./unknown-path.js";

/** A request line may name the server before the path, as for a proxy. */
const absoluteForm = /^https?:\/\/[^/?]*/i;

/** Milliseconds between two signs of life on a stream. Proxies wait a minute, or half of one. */
const keepAliveMs = 15_000;

/** Serves the REST routes; whatever matches none is answered as Dapr does (ERR_DIRECT_INVOKE). */
export class RestServer {
  readonly #router: RestRouter;
  readonly #log: ServerLogger;
  readonly #bodyLimitBytes: number;
  readonly #open = new Set<AbortController>();
  #isStopped = false;

  /** @param bodyLimitBytes bytes that a body may have */
  constructor(router: RestRouter, log: ServerLogger, bodyLimitBytes: number) {
    this.#router = router;
    this.#log = log;
    this.#bodyLimitBytes = bodyLimitBytes;
  }

  /** Answers one request. */
  readonly handle: HttpHandler = (request, response) => {
    const gone = new AbortController();
    const { signal } = gone;
    this.#open.add(gone);
    response.once("close", () => {
      this.#open.delete(gone);
      gone.abort();
    });
    if (this.#isStopped) gone.abort();
    answer(this.#router, request, this.#bodyLimitBytes, signal)
      .then((reply) => {
        if (reply.stream === undefined) send(request, response, reply);
        else sendStream(this.#log, request, response, reply, reply.stream);
      })
      // Also what cannot be sent: an answer of more characters than a string may have.
      .catch((error: unknown) => {
        report(this.#log, request, error);
        send(request, response, this.#isStopped && isGivenUp(error) ? stopping : failure(error));
      });
  };

  /** Ends every wait and watch, as if its caller had left. What a caller commands goes on. */
  stop(): void {
    this.#isStopped = true;
    for (const gone of this.#open) gone.abort();
  }
}

/** The answer to a wait that the server gave up. */
const stopping: RestReply = {
  status: errorMap.SHUTTING_DOWN.http,
  body: { errorCode: "ERR_SHUTTING_DOWN", message: "the server is stopping; try again" },
};

function isCancelled(error: unknown): boolean {
  return isEngineError(error) && error.code === "CANCELLED";
}

function isGivenUp(error: unknown): boolean {
  return error instanceof DaprError && error.engineCode === "CANCELLED";
}

async function answer(
  router: RestRouter,
  request: HttpRequest,
  bodyLimitBytes: number,
  signal: AbortSignal,
): Promise<RestReply> {
  const { path, query: queryText } = splitUrl(request.url ?? "/");
  const match = router.find(request.method ?? "", path);
  if (match === undefined) {
    if (hasBadEscape(path)) {
      request.resume();
      return { status: 400, text: "malformed path: invalid URL escape" };
    }
    return refuseUnknownPath(request);
  }
  const parameters = decodeParameters(match);
  if (typeof parameters === "string") {
    request.resume();
    return { status: 400, text: parameters };
  }
  const query = parseQuery(queryText);
  const { path: matched } = match;
  return match.route.handle({ request, path: matched, parameters, query, bodyLimitBytes, signal });
}

/** The path and the query of a request line. */
export function splitUrl(requestUrl: string): { path: string; query: string } {
  const url = requestUrl.replace(absoluteForm, "");
  const queryAt = url.indexOf("?");
  return queryAt < 0
    ? { path: url, query: "" }
    : { path: url.slice(0, queryAt), query: url.slice(queryAt + 1) };
}

/** The decoded variables, or what is wrong with them. */
function decodeParameters(match: RestMatch): Record<string, string> | string {
  const decoded: Record<string, string> = {};
  for (const [name, value] of Object.entries(match.parameters)) {
    try {
      decoded[name] = decodeSegment(value);
    } catch {
      return `failed to unescape request parameter "${name}". Error: invalid URL escape`;
    }
  }
  return decoded;
}

function failure(error: unknown): RestReply {
  const known =
    error instanceof DaprError
      ? error
      : DaprError.of("ERROR", "internal error; see the server's log");
  return {
    status: known.http,
    body: { errorCode: known.errorCode, message: shortenMessage(known.message) },
  };
}

/** One line per failed request, and the whole error for what is a fault of ours. */
function report(log: ServerLogger, request: HttpRequest, error: unknown): void {
  const facts = { method: request.method, path: request.url?.split("?", 1)[0] };
  if (!(error instanceof DaprError)) {
    log.error({ ...facts, err: error }, "request failed");
  } else if (error.engineCode === "INTERNAL") {
    log.error({ ...facts, errorCode: error.errorCode, err: error.cause }, "request failed");
  } else {
    const message = shortenMessage(error.message);
    log.info({ ...facts, errorCode: error.errorCode, message }, "request failed");
  }
}

/** Sends a stream as fast as it is read; it ends with its reader. */
function sendStream(
  log: ServerLogger,
  request: HttpRequest,
  response: HttpResponse,
  reply: RestReply,
  stream: AsyncIterable<string>,
): void {
  // The caller left while the answer was made: nothing of it is read.
  if (response.destroyed) return;
  response.statusCode = reply.status;
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  const source = Readable.from(stream);
  response.once("close", () => source.destroy());
  if (reply.keepAlive !== undefined) keepAlive(source, response, reply.keepAlive);
  source.once("error", (error: unknown) => {
    // The end of a watch with its caller, or its server, is no failure; after the status there is no other
    // way to tell of one.
    if (!response.destroyed && !isCancelled(error)) report(log, request, error);
    response.destroy();
  });
  const output: NodeJS.WritableStream = response;
  source.pipe(output);
}

/** Sends a sign of life from time to time, as long as the stream lasts. */
function keepAlive(source: Readable, response: HttpResponse, sign: string): void {
  const output: NodeJS.WritableStream = response;
  const timer = setInterval(() => {
    // One who does not read needs no more to read.
    if (response.writableLength === 0) output.write(sign);
  }, keepAliveMs).unref();
  for (const over of ["end", "close"]) source.once(over, () => clearInterval(timer));
}

function bodyOf({ body }: RestReply): string {
  return body === undefined ? "" : toJsonText(body);
}

function send(request: HttpRequest, response: HttpResponse, reply: RestReply): void {
  if (response.destroyed || response.writableEnded) {
    return;
  }
  const [type, text] =
    reply.text === undefined
      ? ["application/json", reply.json ?? bodyOf(reply)]
      : ["text/plain; charset=utf-8", reply.text];
  const headers: Record<string, string | number> = { ...reply.headers };
  if (text !== "") {
    headers["content-type"] = type;
    headers["content-length"] = Buffer.byteLength(text);
  }
  response.statusCode = reply.status;
  for (const [name, value] of Object.entries(headers)) {
    response.setHeader(name, value);
  }
  response.end(request.method === "HEAD" ? "" : text);
}
