// SPDX-License-Identifier: Apache-2.0

import { toJsonText } from "../exact-json.js";
import type { RestCall, RestReply } from "../router.js";

/** One server-sent event (HTML standard, section 9.2). */
export interface ServerEvent {
  readonly event: string;
  /** The reader sends it as `Last-Event-ID` when it comes back. */
  readonly id: string;
  readonly data: unknown;
}

/**
 * Answers with a stream of events. The first is awaited before the status is sent, so that a refusal
 * has a status of its own. A stream that ends says so: a browser would come back otherwise.
 */
export async function replyWithEvents(events: AsyncIterable<ServerEvent>): Promise<RestReply> {
  const iterator = events[Symbol.asyncIterator]();
  const first = await iterator.next();
  return {
    status: 200,
    headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
    stream: linesOf(first, iterator),
    // A comment, which readers leave out (HTML standard, section 9.2.6).
    keepAlive: ":\n\n",
  };
}

/** Where a reader goes on: `Last-Event-ID`, or `resumeToken` of the query. */
export function resumeTokenOf({ request, query }: RestCall): { resumeToken?: string } {
  const header = request.headers["last-event-id"];
  const token = (typeof header === "string" ? header : undefined) ?? query.get("resumeToken");
  return token === null || token === "" ? {} : { resumeToken: token };
}

async function* linesOf(
  first: IteratorResult<ServerEvent, unknown>,
  iterator: AsyncIterator<ServerEvent>,
): AsyncGenerator<string, void, undefined> {
  try {
    for (let next = first; next.done !== true; next = await iterator.next()) {
      const { event, id, data } = next.value;
      yield `event: ${event}\nid: ${id}\ndata: ${toJsonText(data)}\n\n`;
    }
    yield "event: end\ndata: {}\n\n";
  } finally {
    await iterator.return?.();
  }
}
