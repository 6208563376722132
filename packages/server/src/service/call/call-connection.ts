// SPDX-License-Identifier: Apache-2.0

import type { IncomingHttpHeaders } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { ConnectError, type HandlerContext } from "@connectrpc/connect";
import { EngineError } from "@pawl/engine";
import {
  CallErrorSchema,
  type CallRequest,
  type CallResponse,
  CallResponseSchema,
  limits,
  type UnaryAnswer,
  UnaryAnswerSchema,
  type UnaryCall,
} from "@pawl/protocol";
import type { AdmitCall } from "../../auth/admission.js";
import { toConnectError } from "../../interceptor/error.js";
import { CallContext } from "../../rpc/call-context.js";
import { requireSize } from "../../rpc/envelope-reader.js";
import {
  invokeUnary,
  isUnaryMethod,
  type PlainMethod,
  type UnaryMethod,
} from "../../rpc/plain-method.js";
import { hungUp } from "../../rpc/reason.js";
import { AnswerQueue } from "./answer-queue.js";
import { CallAllowance } from "./call-allowance.js";
import { toCallError } from "./call-error.js";

/** Bytes of requests, or of answers, with which no more calls are read. */
const heldBytes = 16 * 1024 * 1024;

/** Calls of one message: more than a stream takes at once. */
const messageCalls = 2 * limits.callsPerStream;

/** Headers of a stream that its calls do not have: each has a time and a trace of its own. */
const ofStreamAlone: ReadonlySet<string> = new Set(["grpc-timeout", "traceparent", "tracestate"]);

/** Where calls may lead. */
const ownPackage = "pawl.v1.";

/** What a stream of calls works with. */
export interface CallTargets {
  readonly find: (procedure: string) => PlainMethod | undefined;
  /** Lets each call in. */
  readonly admit: AdmitCall;
  /** Of all streams together. */
  readonly total: CallAllowance;
}

/** One stream of calls, from its beginning to its end. */
export class CallConnection {
  readonly #targets: CallTargets;
  readonly #context: HandlerContext;
  readonly #headers: IncomingHttpHeaders;
  /** By method, for calls that have no time of their own. */
  readonly #plainHeaders = new Map<string, IncomingHttpHeaders>();
  readonly #open = new Map<number, CallContext>();
  readonly #allowance: CallAllowance;
  readonly #answers = new AnswerQueue();
  #openBytes = 0;
  #takesCalls = true;
  #failure: unknown;
  #whenRoom: (() => void) | undefined;

  constructor(targets: CallTargets, context: HandlerContext) {
    this.#targets = targets;
    this.#allowance = new CallAllowance(limits.callsPerStream, targets.total);
    this.#context = context;
    const { protocol, host } = new URL(context.url);
    const headers = [...context.requestHeader].filter(([name]) => !ofStreamAlone.has(name));
    const authority = { ":scheme": protocol.slice(0, -1), ":authority": host };
    this.#headers = { ...Object.fromEntries(headers), ...authority };
  }

  /** Sends answers until the client leaves or the server stops. */
  async *run(incoming: AsyncIterator<CallRequest>): AsyncGenerator<CallResponse> {
    const { signal } = this.#context;
    const stop = (): void => {
      this.#giveUp(signal.reason instanceof ConnectError ? signal.reason : hungUp);
    };
    signal.addEventListener("abort", stop);
    if (signal.aborted) {
      stop();
    }
    try {
      yield create(CallResponseSchema);
      void this.#read(incoming);
      for (let next = await this.#answers.take(); next; next = await this.#answers.take()) {
        yield* next;
        this.#whenRoom?.();
      }
      if (this.#failure !== undefined) {
        throw this.#failure;
      }
    } finally {
      signal.removeEventListener("abort", stop);
      this.#giveUp(hungUp);
    }
  }

  async #read(incoming: AsyncIterator<CallRequest>): Promise<void> {
    try {
      while (this.#takesCalls) {
        const next = await incoming.next();
        if (next.done === true) {
          break;
        }
        this.#take(next.value);
        await this.#room();
      }
      this.#takesCalls = false;
      this.#endWhenAnswered();
    } catch (error) {
      this.#failure = error;
      this.#giveUp(hungUp);
      this.#answers.end();
    }
  }

  /** What is read after the end is dropped: without an answer it had no effect. */
  #take(request: CallRequest): void {
    if (!this.#takesCalls) {
      return;
    }
    const count = request.calls.length;
    if (count > messageCalls) {
      // All but the first would be refused one by one, which takes a hundred times what it took to ask.
      const text = `a message has ${count} calls; at most ${messageCalls} are taken`;
      throw new EngineError("INVALID_ARGUMENT", text);
    }
    for (const call of request.calls) {
      if (this.#open.has(call.number)) {
        const text = `call ${call.number} was made again before it had its answer`;
        throw new EngineError("INVALID_ARGUMENT", text);
      }
      void this.#answer(call);
    }
    for (const number of request.cancelledNumbers) {
      this.#open.get(number)?.abort(hungUp);
    }
  }

  /** Takes no more calls, and tells those under way; the stream ends behind their answers. */
  #giveUp(reason: ConnectError): void {
    this.#takesCalls = false;
    for (const context of this.#open.values()) {
      context.abort(reason);
    }
    this.#whenRoom?.();
    this.#endWhenAnswered();
  }

  #endWhenAnswered(): void {
    if (!this.#takesCalls && this.#open.size === 0) {
      this.#answers.end();
    }
  }

  async #answer(call: UnaryCall): Promise<void> {
    const { number, request } = call;
    const context = new CallContext(this.#headersOf(call));
    this.#open.set(number, context);
    this.#openBytes += request.byteLength;
    const result = await this.#resultOf(call, context);
    context.end();
    this.#open.delete(number);
    this.#openBytes -= request.byteLength;
    this.#answers.push(create(UnaryAnswerSchema, { number, result }));
    this.#whenRoom?.();
    this.#endWhenAnswered();
  }

  #headersOf({ method, timeoutMs }: UnaryCall): IncomingHttpHeaders {
    const known = timeoutMs === 0 ? this.#plainHeaders.get(method) : undefined;
    if (known !== undefined) {
      return known;
    }
    const headers = { ...this.#headers, ":path": `/${method}` };
    if (timeoutMs !== 0) {
      return { ...headers, "grpc-timeout": `${timeoutMs}m` };
    }
    if (this.#find(method) !== undefined) {
      this.#plainHeaders.set(method, headers);
    }
    return headers;
  }

  async #resultOf(call: UnaryCall, context: CallContext): Promise<UnaryAnswer["result"]> {
    try {
      this.#allowance.take();
      try {
        const value = await this.#targets.admit(call.method, () => this.#invoke(call, context));
        return { case: "response", value };
      } finally {
        this.#allowance.giveBack();
      }
    } catch (error) {
      return { case: "error", value: create(CallErrorSchema, this.#errorOf(call.method, error)) };
    }
  }

  async #invoke({ method: name, request }: UnaryCall, context: CallContext): Promise<Uint8Array> {
    const method = this.#find(name);
    if (method === undefined) {
      throw new EngineError("UNIMPLEMENTED", `no unary method "${name}" is served here`);
    }
    requireSize(request.byteLength, method.readMaxBytes);
    const { message } = await invokeUnary(method, context, request);
    return toBinary(method.spec.method.output, message);
  }

  #find(name: string): UnaryMethod | undefined {
    const method = name.startsWith(ownPackage) ? this.#targets.find(name) : undefined;
    return method !== undefined && isUnaryMethod(method) ? method : undefined;
  }

  #errorOf(name: string, error: unknown): ReturnType<typeof toCallError> {
    const sent = toConnectError(error);
    if (!(error instanceof ConnectError)) {
      // All that services and interceptors throw has become one, so that nobody has told of it yet.
      this.#find(name)?.report(name, error, sent);
    }
    return toCallError(sent);
  }

  /** Resolves when more may be held of this stream. */
  async #room(): Promise<void> {
    while (this.#takesCalls && this.#openBytes + this.#answers.sizeBytes > heldBytes) {
      await new Promise<void>((resolve) => {
        this.#whenRoom = resolve;
      });
    }
    this.#whenRoom = undefined;
  }
}
