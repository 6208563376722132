// SPDX-License-Identifier: Apache-2.0

import type { IncomingHttpHeaders } from "node:http";
import { cors as connectCors } from "@connectrpc/connect";
import { EngineError } from "@pawl/engine";
import { componentHeader } from "../component/name.js";

/** Seconds for which browsers may remember what they were allowed; none remembers longer. */
const rememberSeconds = 7200;

/** Request headers that pages may set: those of Connect and gRPC-Web, tokens, and those of the REST API. */
const requestHeaders = [
  ...connectCors.allowedHeaders,
  "authorization",
  "dapr-api-token",
  "dapr-workflow-metadata",
  componentHeader,
  "prefer",
  "traceparent",
  "tracestate",
  "last-event-id",
  // Of a CloudEvent in binary mode, which names an event to raise by its type.
  ...["specversion", "id", "source", "type", "subject", "time", "dataschema"].map(
    (attribute) => `ce-${attribute}`,
  ),
].join(", ");

const methods = [...connectCors.allowedMethods, "PUT", "DELETE"].join(", ");

/** Answer headers that pages may read. */
const answerHeaders = [
  ...connectCors.exposedHeaders,
  "location",
  "retry-after",
  "preference-applied",
  "www-authenticate",
].join(", ");

/** Which pages' scripts may call this server. */
export class Cors {
  readonly #origins: ReadonlySet<string>;

  /**
   * @param origins such as "https://app.example.com"; no wildcard
   * @throws INVALID_ARGUMENT
   */
  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins.map(requireOrigin));
  }

  /**
   * Headers that every answer to this request must have, so that a page may read it. Nothing is said of
   * cookies, which are never looked at: browsers then send none.
   */
  answerHeaders({ origin }: IncomingHttpHeaders): Readonly<Record<string, string>> {
    if (this.#origins.size === 0) {
      return {};
    }
    // What a cache keeps for one page must not be given to another.
    const vary = { vary: "Origin" };
    return origin !== undefined && this.#origins.has(origin)
      ? {
          ...vary,
          "access-control-allow-origin": origin,
          "access-control-expose-headers": answerHeaders,
        }
      : vary;
  }

  /** The headers that answer a browser's question before a call, if this is one from a named page. */
  preflightHeaders(
    method: string,
    headers: IncomingHttpHeaders,
  ): Readonly<Record<string, string>> | undefined {
    const { origin, "access-control-request-method": asked } = headers;
    if (method !== "OPTIONS" || asked === undefined || !this.#origins.has(origin ?? "")) {
      return undefined;
    }
    return {
      "access-control-allow-methods": methods,
      "access-control-allow-headers": requestHeaders,
      "access-control-max-age": String(rememberSeconds),
    };
  }

  /**
   * Refuses what a browser sends for a page that is not named. A browser would keep the answer from the
   * page, but the page could still start workflows on a server that asks for no token.
   * @throws PERMISSION_DENIED
   */
  requireKnownPage(headers: IncomingHttpHeaders): void {
    const { origin } = headers;
    if (origin === undefined || this.#origins.has(origin)) {
      return;
    }
    const authority = headers[":authority"] ?? headers.host;
    if (typeof authority === "string" && /^https?:\/\/(.+)$/.exec(origin)?.[1] === authority) {
      return;
    }
    throw new EngineError(
      "PERMISSION_DENIED",
      `pages of ${origin} may not call this server; --cors-origin names those that may`,
    );
  }
}

function requireOrigin(text: string): string {
  const origin = URL.canParse(text) ? new URL(text).origin : "null";
  if (origin === "null" || origin !== text) {
    throw new EngineError(
      "INVALID_ARGUMENT",
      `--cors-origin: "${text}" is not an origin like "https://app.example.com"; pages are named one by one, "*" is not taken`,
    );
  }
  return origin;
}
