// SPDX-License-Identifier: Apache-2.0

import type { Operation } from "../auth/operation.js";
import type { HttpRequest } from "../listen.js";

/** One REST request, taken apart. */
export interface RestCall {
  readonly request: HttpRequest;
  /** The path as it was matched: cleaned, not decoded. */
  readonly path: string;
  /** The values of the pattern's variables, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Bytes that the body may have. */
  readonly bodyLimitBytes: number;
  /** Aborted when the caller is gone or has its answer. */
  readonly signal: AbortSignal;
}

/** What is answered. */
export interface RestReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; absent: no body. */
  readonly body?: unknown;
  /** JSON text that is sent as it is, instead of `body`. */
  readonly json?: string;
  /** Sent as plain text instead of `body`. */
  readonly text?: string;
  /** Sent piece by piece instead of `body`; `headers` say its type. */
  readonly stream?: AsyncIterable<string>;
  /** Sent between two pieces of a stream from time to time, as proxies cut what is silent for long. */
  readonly keepAlive?: string;
}

/** Answers one request; rejects with `DaprError`. */
export type RestHandler = (call: RestCall) => RestReply | Promise<RestReply>;

/** One line of the route table. */
export interface RestRoute {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Segments are literals or `{variable}`s. */
  readonly pattern: string;
  /** What a request for it asks for, which decides who may. */
  readonly operation: Operation;
  readonly handle: RestHandler;
}

/** What a request's path led to. */
export interface RestMatch {
  readonly route: RestRoute;
  /** Values of the variables, still escaped. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly path: string;
}

interface CompiledRoute {
  readonly route: RestRoute;
  readonly segments: readonly string[];
}

/** Finds routes by method and path. Patterns that could match the same path must not be given. */
export class RestRouter {
  readonly #byShape = new Map<string, CompiledRoute[]>();

  constructor(routes: readonly RestRoute[]) {
    for (const route of routes) {
      const segments = route.pattern.split("/").slice(1);
      const shape = shapeOf(route.method, segments);
      const sameShape = this.#byShape.get(shape) ?? [];
      sameShape.push({ route, segments });
      this.#byShape.set(shape, sameShape);
    }
  }

  /** The route for a request, or `undefined`. `path` is as it came, without the query. */
  find(method: string, path: string): RestMatch | undefined {
    const segments = cleanPath(path);
    for (const candidate of this.#byShape.get(shapeOf(method, segments)) ?? []) {
      const parameters = matchSegments(candidate.segments, segments);
      if (parameters !== undefined) {
        return { route: candidate.route, parameters, path: `/${segments.join("/")}` };
      }
    }
    return undefined;
  }
}

/** Routes are first told apart by method, prefix and length. */
function shapeOf(method: string, segments: readonly string[]): string {
  return `${method} ${segments[0] ?? ""} ${segments.length}`;
}

function matchSegments(
  pattern: readonly string[],
  segments: readonly string[],
): Record<string, string> | undefined {
  const parameters: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const segment = segments[index] ?? "";
    if (expected.startsWith("{")) {
      parameters[expected.slice(1, -1)] = segment;
    } else if (expected !== segment) {
      return undefined;
    }
  }
  return parameters;
}

/** Drops empty and `.` segments and follows `..`, as Dapr does before it routes. */
function cleanPath(path: string): string[] {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") {
      segments.pop();
    } else if (segment !== "" && segment !== ".") {
      segments.push(segment);
    }
  }
  return segments;
}

/**
 * Decodes a path variable as Dapr does: like a query string, where `+` is a space.
 * @throws URIError when an escape is bad
 */
export function decodeSegment(segment: string): string {
  return decodeURIComponent(segment.replaceAll("+", " "));
}

/** Parses a query. One with a stray `;` or a bad escape is dropped whole, as in Dapr. */
export function parseQuery(query: string): URLSearchParams {
  return new URLSearchParams(query.includes(";") || hasBadEscape(query) ? "" : query);
}

/** Whether a `%` stands before anything but two hexadecimal digits. */
export function hasBadEscape(text: string): boolean {
  return /%(?![\da-f]{2})/i.test(text);
}
