// SPDX-License-Identifier: Apache-2.0

import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, type ServerHttp2Stream } from "node:http2";
import { TurnoverSet } from "@pawl/protocol";
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
abstract class Exchange {
  readonly startedAtMs = performance.now();
  /** Bytes of the answer that waited for the reader when it was last looked at. */
  seenBytes = 0;
  /** When that number last changed. */
  movedAtMs = this.startedAtMs;

  /** Bytes of the answer that wait for the reader. */
  abstract waitingBytes(): number;
  /** Whether something of the request is still to come that must come in time. */
  abstract isIncomplete(): boolean;
  /** @param isUnread its answer is not read; else its request does not arrive */
  abstract drop(isUnread: boolean): void;
}

class StreamExchange extends Exchange {
  readonly #stream: ServerHttp2Stream;
  readonly #isOpenEnded: boolean;

  constructor(stream: ServerHttp2Stream, isOpenEnded: boolean) {
    super();
    this.#stream = stream;
    this.#isOpenEnded = isOpenEnded;
  }

  waitingBytes(): number {
    return this.#stream.writableLength;
  }

  isIncomplete(): boolean {
    return !this.#isOpenEnded && receivingStates.has(this.#stream.state.state);
  }

  drop(isUnread: boolean): void {
    // "Cancelled" would tell the caller of an answer that it had given up the call itself.
    const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM } = constants;
    this.#stream.close(isUnread ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_CANCEL);
  }
}

/** One over HTTP/1.1, the arrival of whose request is Node's to watch. */
class ResponseExchange extends Exchange {
  readonly #socket: IncomingMessage["socket"];
  readonly #response: ServerResponse;

  constructor({ socket }: IncomingMessage, response: ServerResponse) {
    super();
    this.#socket = socket;
    this.#response = response;
  }

  waitingBytes(): number {
    return this.#response.writableLength + this.#socket.writableLength;
  }

  isIncomplete(): boolean {
    return false;
  }

  drop(): void {
    this.#socket.destroy();
  }
}

/**
 * Drops requests that do not arrive and answers that are not read: each holds memory, and Node lets it,
 * for ever, over HTTP/2 and while it writes. Looks at all open exchanges from time to time, so that a
 * call costs next to nothing.
 */
export class Exchanges {
  readonly #limits: ExchangeLimits;
  readonly #open = new TurnoverSet<Exchange>();
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
    const exchange = new StreamExchange(stream, isOpenEnded);
    const place = this.#open.add(exchange);
    stream.on("close", () => this.#open.delete(place, exchange));
  }

  /** Takes an HTTP/1.1 exchange. */
  addResponse(request: IncomingMessage, response: ServerResponse): void {
    const exchange = new ResponseExchange(request, response);
    const place = this.#open.add(exchange);
    response.on("close", () => this.#open.delete(place, exchange));
  }

  /** Watches no more. */
  close(): void {
    clearInterval(this.#timer);
  }

  #sweep(): void {
    const nowMs = performance.now();
    const { requestTimeoutMs, stallTimeoutMs, readerBytesPerSecond } = this.#limits;
    for (const [place, exchange] of this.#open) {
      const waitingBytes = exchange.waitingBytes();
      if (waitingBytes === 0 || waitingBytes !== exchange.seenBytes) {
        exchange.seenBytes = waitingBytes;
        exchange.movedAtMs = nowMs;
      }
      // What was written at once is seen to go only when all of it has gone: the more, the later.
      const patienceMs = stallTimeoutMs + (1000 * waitingBytes) / readerBytesPerSecond;
      const isLate = exchange.isIncomplete() && nowMs - exchange.startedAtMs > requestTimeoutMs;
      const isUnread = nowMs - exchange.movedAtMs > patienceMs;
      if (isLate || isUnread) {
        this.#open.delete(place, exchange);
        exchange.drop(isUnread);
      }
    }
  }
}
