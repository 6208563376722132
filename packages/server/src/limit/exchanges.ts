// SPDX-License-Identifier: Apache-2.0

import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, type ServerHttp2Stream } from "node:http2";
import type { ListenLimits } from "./listen-limits.js";

/** How long peers may take. */
export type ExchangeLimits = Pick<
  ListenLimits,
  "requestTimeoutMs" | "stallTimeoutMs" | "readerBytesPerSecond"
>;

/** States of a stream whose peer has not said the last of its request (RFC 9113, section 5.1). */
const receivingStates: ReadonlySet<number | undefined> = new Set([
  constants.NGHTTP2_STREAM_STATE_OPEN,
  constants.NGHTTP2_STREAM_STATE_HALF_CLOSED_LOCAL,
]);

/** One request and its answer, as the sweep sees it. */
interface Exchange {
  /** Bytes of the answer that wait for the reader. */
  waitingBytes(): number;
  /** Whether something of the request is still to come that must come in time. */
  isIncomplete(): boolean;
  drop(): void;
}

interface Watched {
  readonly exchange: Exchange;
  readonly startedAtMs: number;
  waitingBytes: number;
  /** When that number last changed. */
  movedAtMs: number;
}

/**
 * Drops requests that do not arrive and answers that are not read: each holds memory, and Node lets it,
 * for ever, over HTTP/2 and while it writes. Looks at all open exchanges from time to time, so that a
 * call costs next to nothing.
 */
export class Exchanges {
  readonly #limits: ExchangeLimits;
  readonly #open = new Set<Watched>();
  readonly #timer: NodeJS.Timeout;

  constructor(limits: ExchangeLimits) {
    this.#limits = limits;
    const shortestMs = Math.min(limits.requestTimeoutMs, limits.stallTimeoutMs);
    const sweepMs = Math.min(5_000, Math.max(10, shortestMs / 4));
    this.#timer = setInterval(() => this.#sweep(), sweepMs);
    this.#timer.unref();
  }

  /** Takes an HTTP/2 stream. `isOpenEnded`: its request may go on for ever. */
  addStream(stream: ServerHttp2Stream, isOpenEnded: boolean): void {
    const exchange: Exchange = {
      waitingBytes: () => stream.writableLength,
      isIncomplete: () => !isOpenEnded && receivingStates.has(stream.state.state),
      drop: () => stream.close(constants.NGHTTP2_CANCEL),
    };
    const forget = this.#watch(exchange);
    stream.once("close", forget);
  }

  /** Takes an HTTP/1.1 exchange, the arrival of whose request is Node's to watch. */
  addResponse(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const exchange: Exchange = {
      waitingBytes: () => response.writableLength + socket.writableLength,
      isIncomplete: () => false,
      drop: () => void socket.destroy(),
    };
    const forget = this.#watch(exchange);
    response.once("close", forget);
  }

  /** Watches no more. */
  close(): void {
    clearInterval(this.#timer);
    this.#open.clear();
  }

  #watch(exchange: Exchange): () => void {
    const startedAtMs = performance.now();
    const watched = {
      exchange,
      startedAtMs,
      waitingBytes: 0,
      movedAtMs: startedAtMs,
    };
    this.#open.add(watched);
    return () => this.#open.delete(watched);
  }

  #sweep(): void {
    const nowMs = performance.now();
    const { requestTimeoutMs, stallTimeoutMs, readerBytesPerSecond } = this.#limits;
    for (const watched of this.#open) {
      const { exchange, startedAtMs } = watched;
      const waitingBytes = exchange.waitingBytes();
      if (waitingBytes === 0 || waitingBytes !== watched.waitingBytes) {
        watched.waitingBytes = waitingBytes;
        watched.movedAtMs = nowMs;
      }
      // What was written at once is seen to go only when all of it has gone: the more, the later.
      const patienceMs = stallTimeoutMs + (1000 * waitingBytes) / readerBytesPerSecond;
      const isLate = exchange.isIncomplete() && nowMs - startedAtMs > requestTimeoutMs;
      if (isLate || nowMs - watched.movedAtMs > patienceMs) {
        this.#open.delete(watched);
        exchange.drop();
      }
    }
  }
}
