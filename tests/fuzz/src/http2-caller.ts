// SPDX-License-Identifier: Apache-2.0

import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";

/** One request. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Uint8Array;
}

/** What came back. */
export interface Answer {
  /** HTTP status; 0 when the stream was reset before it. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Milliseconds after which a call without an answer counts as hung. */
const hangMs = 60_000;

/** Sends calls over one HTTP/2 connection, which it makes anew when the server has closed it. */
export class Http2Caller {
  readonly #url: string;
  #session: ClientHttp2Session | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** Rejects when a call is not over after a minute. */
  async send(call: Call): Promise<Answer> {
    const stream = this.#open().request(
      { ":method": call.method, ":path": call.path, ...call.headers },
      { endStream: call.body.length === 0 },
    );
    const chunks: Buffer[] = [];
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on("response", (received) => {
      headers = received;
    });
    stream.on("trailers", (received) => {
      trailers = received;
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    // A reset is an answer, too.
    stream.on("error", () => {});
    if (call.body.length > 0) {
      stream.end(call.body);
    }
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        stream.close();
        reject(new Error(`no end of ${call.method} ${call.path} after ${hangMs} ms`));
      }, hangMs);
      stream.on("close", () => {
        clearTimeout(timer);
        resolve();
      });
    });
    const status = Number(headers[":status"] ?? 0);
    return { status, headers, trailers, body: Buffer.concat(chunks) };
  }

  close(): void {
    this.#session?.destroy();
  }

  #open(): ClientHttp2Session {
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      this.#session = connect(this.#url);
      this.#session.on("error", () => {});
    }
    return this.#session;
  }
}
