// SPDX-License-Identifier: Apache-2.0

import { DaprError } from "../dapr/error.js";
import type { HttpHandler, HttpRequest, HttpResponse } from "../listen.js";
import type { ServerLogger } from "../options.js";
import {
  decodeSegment,
  parseQuery,
  type RestMatch,
  type RestReply,
  type RestRoute,
  RestRouter,
} from "./router.js";

/** Serves the REST routes; whatever matches none is answered as Dapr does (ERR_DIRECT_INVOKE). */
export function createRestHandler(routes: readonly RestRoute[], log: ServerLogger): HttpHandler {
  const router = new RestRouter(routes);
  return (request, response) => {
    answer(router, request).then(
      (reply) => send(request, response, reply),
      (error: unknown) => {
        report(log, request, error);
        send(request, response, failure(error));
      },
    );
  };
}

async function answer(router: RestRouter, request: HttpRequest): Promise<RestReply> {
  const url = request.url ?? "/";
  const queryAt = url.indexOf("?");
  const path = queryAt < 0 ? url : url.slice(0, queryAt);
  const match = router.find(request.method ?? "", path);
  if (match === undefined) {
    request.resume();
    throw DaprError.of(
      "ERR_DIRECT_INVOKE",
      "failed getting app id either from the URL path or the header dapr-app-id",
    );
  }
  const parameters = decodeParameters(match);
  if (typeof parameters === "string") {
    request.resume();
    return { status: 400, text: parameters };
  }
  const query = parseQuery(queryAt < 0 ? "" : url.slice(queryAt + 1));
  return match.route.handle({ request, path: match.path, parameters, query });
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
  return { status: known.http, body: { errorCode: known.errorCode, message: known.message } };
}

/** One line per failed request, and the whole error for what is a fault of ours. */
function report(log: ServerLogger, request: HttpRequest, error: unknown): void {
  const facts = { method: request.method, path: request.url?.split("?", 1)[0] };
  if (!(error instanceof DaprError)) {
    log.error({ ...facts, err: error }, "request failed");
  } else if (error.engineCode === "INTERNAL") {
    log.error({ ...facts, errorCode: error.errorCode, err: error.cause }, "request failed");
  } else {
    log.info({ ...facts, errorCode: error.errorCode, message: error.message }, "request failed");
  }
}

function send(request: HttpRequest, response: HttpResponse, reply: RestReply): void {
  if (response.destroyed || response.writableEnded) {
    return;
  }
  const [type, text] =
    reply.text === undefined
      ? ["application/json", reply.body === undefined ? "" : JSON.stringify(reply.body)]
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
