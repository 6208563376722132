// SPDX-License-Identifier: Apache-2.0

import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Code, type Transport, type UnaryResponse } from "@connectrpc/connect";
import { reconnectMs } from "../../worker/backoff.js";
import type { CallStream } from "./call-stream.js";

/** With so many calls in a second a stream pays. */
const busyCalls = 8;
const busyMs = 1000;

/** Bytes of a request above which a call goes by itself, so that it does not hold up the others. */
const largeBytes = 256 * 1024;

/** A server that has no stream of calls is asked again after so many milliseconds. */
const notOfferedMs = 60_000;

/** A stream that carries nothing is given back after so many milliseconds. */
const idleMs = 60_000;

/** Opens streams of calls, each sent with a token. */
export interface CallStreamSource {
  /** The token that a call is to have; asked before each call when it changes. */
  readonly token: string | (() => string | Promise<string>);
  /** Rejects when there is no connection. */
  open(token: string): Promise<CallStream>;
}

/**
 * A transport whose unary calls travel on one stream, many to a message, while there are many, and by
 * themselves otherwise: a client that makes few calls opens nothing, and a server or proxy that has
 * or lets through no such stream is spoken to as ever. What a call answers is the same both ways.
 */
export class StreamedTransport implements Transport {
  /** Streaming calls, for which nothing is different. */
  readonly stream: Transport["stream"];
  readonly #single: Transport;
  readonly #source: CallStreamSource;
  #calls: CallStream | undefined;
  #token = "";
  #isOpening = false;
  #isClosed = false;
  #failures = 0;
  #waitUntil = 0;
  #windowBegan = 0;
  #windowCalls = 0;

  /** @param single what calls go over by themselves */
  constructor(single: Transport, source: CallStreamSource) {
    this.#single = single;
    this.#source = source;
    this.stream = single.stream.bind(single);
  }

  unary: Transport["unary"] = async (method, signal, timeoutMs, header, input, values) => {
    // What is a matter of headers is left to those who have them.
    if (timeoutMs === undefined && header === undefined && values === undefined) {
      const calls = this.#usable() ? await this.#withToken() : undefined;
      const request = calls && toBinary(method.input, create(method.input, input));
      if (request !== undefined && request.byteLength <= largeBytes) {
        const name = `${method.parent.typeName}/${method.name}`;
        const response = await calls?.call(name, request, signal);
        if (response !== undefined) return toResponse(method, fromBinary(method.output, response));
      }
    }
    return this.#single.unary(method, signal, timeoutMs, header, input, values);
  };

  /** Ends the stream, and opens no more. */
  close(): void {
    this.#isClosed = true;
    this.#calls?.abort();
  }

  /** Whether there is a stream to take a call; where there is none and it would pay, opens one. */
  #usable(): boolean {
    if (this.#calls !== undefined) return this.#calls.isOpen;
    const now = performance.now();
    if (now - this.#windowBegan > busyMs) {
      this.#windowBegan = now;
      this.#windowCalls = 0;
    }
    this.#windowCalls += 1;
    const isBusy = this.#windowCalls >= busyCalls && now >= this.#waitUntil;
    if (isBusy && !this.#isOpening && !this.#isClosed) void this.#open();
    return false;
  }

  /** The stream, if it was opened with the token that a call is to have now. */
  async #withToken(): Promise<CallStream | undefined> {
    const { token } = this.#source;
    const calls = this.#calls;
    if (typeof token === "string" || (await token()) === this.#token) return calls;
    calls?.end();
    if (this.#calls === calls) this.#calls = undefined;
    return undefined;
  }

  async #open(): Promise<void> {
    this.#isOpening = true;
    let code: number | undefined;
    try {
      const { token } = this.#source;
      const text = typeof token === "string" ? token : await token();
      const calls = await this.#source.open(text);
      this.#token = text;
      this.#calls = calls;
      this.#isOpening = false;
      const stopWatching = endWhenIdle(calls);
      code = await calls.closed;
      stopWatching();
      if (this.#calls === calls) this.#calls = undefined;
    } catch {
      // As after a stream that broke: calls go by themselves, and say what is wrong.
    }
    this.#isOpening = false;
    this.#failures = code === 0 ? 0 : this.#failures + 1;
    const restMs = this.#failures === 0 ? 0 : reconnectMs(this.#failures, Math.random());
    this.#waitUntil = performance.now() + (code === Code.Unimplemented ? notOfferedMs : restMs);
  }
}

function endWhenIdle(calls: CallStream): () => void {
  let wasIdle = false;
  const timer = setInterval(() => {
    if (wasIdle && calls.isIdle) calls.end();
    wasIdle = calls.isIdle;
  }, idleMs / 2);
  timer.unref();
  return () => clearInterval(timer);
}

/** Headers are made when they are asked for, which they seldom are. */
function toResponse<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  message: MessageShape<O>,
): UnaryResponse<I, O> {
  let header: Headers | undefined;
  let trailer: Headers | undefined;
  return {
    stream: false,
    service: method.parent,
    method,
    message,
    get header() {
      header ??= new Headers();
      return header;
    },
    get trailer() {
      trailer ??= new Headers();
      return trailer;
    },
  };
}
