// SPDX-License-Identifier: Apache-2.0

import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from "node:http2";
import { create, fromBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type CallError,
  CallResponseSchema,
  limits,
  toEnvelope,
  type UnaryAnswer,
  UnaryCallSchema,
} from "@pawl/protocol";
import { CallQueue } from "./call-queue.js";
import { MessageReader } from "./message-reader.js";

/** A call that has no answer. Without `settle` nobody waits for it any more. */
interface OpenCall {
  isSent: boolean;
  settle: ((outcome: Uint8Array | ConnectError | undefined) => void) | undefined;
}

/** Numbers of calls are below this. */
const numberLimit = 2 ** 32;

const canceled = 1;

/**
 * One stream of calls (`pawl.v1.CallService`). What is asked for while the event loop goes round
 * once, or while a message is being written, leaves as one message. Keeps the process alive while a
 * call has no answer, and only then; its connection must be its own.
 */
export class CallStream {
  /** Resolves once the stream carries no more calls, with the gRPC code of its end. */
  readonly closed: Promise<number | undefined>;
  readonly #stream: ClientHttp2Stream;
  readonly #reader = new MessageReader();
  readonly #queue = new CallQueue();
  readonly #open = new Map<number, OpenCall>();
  #lastNumber = 0;
  #isWelcome = false;
  #hasEnded = false;
  #isScheduled = false;
  #status: number | undefined;
  /** Why calls without an answer fail. */
  #reason = broken;

  /** @param stream a request to CallService, of which nothing has been written or read */
  constructor(stream: ClientHttp2Stream) {
    this.#stream = stream;
    stream.session?.unref();
    stream.on("response", (headers) => this.#readStatus(headers));
    stream.on("trailers", (headers) => this.#readStatus(headers));
    stream.on("data", (chunk: Buffer) => this.#read(chunk));
    stream.on("drain", () => this.#write());
    // A stream that failed closes, too, and only that matters.
    stream.on("error", () => {});
    this.closed = new Promise((resolve) => {
      stream.on("end", () => this.end());
      stream.on("close", () => {
        this.#failRest();
        resolve(this.#status);
      });
    });
  }

  /** Whether it takes a call now. */
  get isOpen(): boolean {
    return this.#isWelcome && !this.#hasEnded && this.#open.size < limits.callsPerStream;
  }

  /** Whether no call is under way. */
  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  /**
   * Makes a call. Resolves with the response's bytes, or with undefined when the call certainly had
   * no effect, for it never came to the server. Rejects with ConnectError.
   */
  call(
    method: string,
    request: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(reasonOf(signal));
        return;
      }
      if (!this.isOpen) {
        resolve(undefined);
        return;
      }
      const number = this.#nextNumber();
      const giveUp = (): void => {
        if (signal === undefined) return;
        reject(reasonOf(signal));
        this.#giveUp(number);
      };
      const settle: OpenCall["settle"] = (outcome) => {
        signal?.removeEventListener("abort", giveUp);
        if (outcome instanceof ConnectError) reject(outcome);
        else resolve(outcome);
      };
      signal?.addEventListener("abort", giveUp, { once: true });
      if (this.#open.size === 0) this.#stream.session?.ref();
      this.#open.set(number, { isSent: false, settle });
      this.#queue.push(create(UnaryCallSchema, { number, method, request }));
      this.#schedule();
    });
  }

  /** Takes no more calls; those under way still get their answers. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#write();
  }

  /** Ends at once; calls under way reject as cancelled. */
  abort(): void {
    this.#reason = () => new ConnectError("the client was closed", Code.Canceled);
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #nextNumber(): number {
    do {
      this.#lastNumber = (this.#lastNumber + 1) % numberLimit;
    } while (this.#open.has(this.#lastNumber));
    return this.#lastNumber;
  }

  #giveUp(number: number): void {
    const call = this.#open.get(number);
    if (call === undefined) return;
    if (this.#queue.cancel(number) === "taken back") {
      this.#remove(number);
    } else {
      // Its number is free once the server has answered.
      call.settle = undefined;
      this.#schedule();
    }
  }

  #remove(number: number): void {
    if (this.#open.delete(number) && this.#open.size === 0) this.#stream.session?.unref();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#write();
    });
  }

  #write(): void {
    const stream = this.#stream;
    while (stream.writable && !stream.writableNeedDrain) {
      const next = this.#queue.take();
      if (next === undefined) {
        if (this.#hasEnded) stream.end();
        return;
      }
      for (const number of next.numbers) {
        const call = this.#open.get(number);
        if (call !== undefined) call.isSent = true;
      }
      stream.write(toEnvelope(next.message));
    }
  }

  #readStatus(headers: IncomingHttpHeaders): void {
    const status = headers["grpc-status"];
    if (status !== undefined) this.#status = Number(status);
  }

  #read(chunk: Buffer): void {
    try {
      for (const message of this.#reader.read(chunk)) {
        this.#isWelcome = true;
        for (const answer of fromBinary(CallResponseSchema, message).answers) this.#settle(answer);
      }
    } catch {
      this.#stream.close(constants.NGHTTP2_CANCEL);
    }
  }

  #settle({ number, result }: UnaryAnswer): void {
    const settle = this.#open.get(number)?.settle;
    this.#remove(number);
    settle?.(outcomeOf(result));
  }

  /** What a stream that ended well left unanswered had no effect, nor had what was never sent. */
  #failRest(): void {
    this.#hasEnded = true;
    const isClean = this.#isWelcome && this.#status === 0;
    for (const [number, { isSent, settle }] of this.#open) {
      this.#remove(number);
      settle?.(isSent && !isClean ? this.#reason() : undefined);
    }
  }
}

function broken(): ConnectError {
  const text =
    "the connection broke before the answer came; whether the call had an effect is not known";
  return new ConnectError(text, Code.Unavailable);
}

function reasonOf(signal: AbortSignal): ConnectError {
  return ConnectError.from(signal.reason, Code.Canceled);
}

function outcomeOf(result: UnaryAnswer["result"]): Uint8Array | ConnectError {
  switch (result.case) {
    case "response":
      return result.value;
    case "error":
      return toConnectError(result.value);
    default:
      return new ConnectError("an answer says nothing", Code.Internal);
  }
}

function toConnectError({ code, message, details }: CallError): ConnectError {
  const known = code >= canceled && code in Code ? code : Code.Unknown;
  const error = new ConnectError(message, known);
  error.details = details.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value,
  }));
  return error;
}
