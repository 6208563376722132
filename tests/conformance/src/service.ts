// SPDX-License-Identifier: Apache-2.0

import { setTimeout as delay } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { sendHeaders } from "@pawl/server/testing";
import {
  BidiStreamRequestSchema,
  ClientStreamRequestSchema,
  type ConformancePayload,
  ConformancePayloadSchema,
  type ConformanceService,
  IdempotentUnaryRequestSchema,
  ServerStreamRequestSchema,
  type StreamResponseDefinition,
  UnaryRequestSchema,
  type UnaryResponseDefinition,
} from "./gen/connectrpc/conformance/v1/service_pb.js";
import { addHeaders, requestInfo, toError } from "./request-info.ts";

/** The service that the runner calls, as its proto file describes it. `unimplemented` is left out. */
export const conformanceService: Partial<ServiceImpl<typeof ConformanceService>> = {
  unary: async (request, context) => {
    const packed = anyPack(UnaryRequestSchema, request);
    return { payload: await answerOnce(request.responseDefinition, [packed], context) };
  },

  idempotentUnary: async (request, context) => {
    const packed = anyPack(IdempotentUnaryRequestSchema, request);
    return { payload: await answerOnce(request.responseDefinition, [packed], context) };
  },

  clientStream: async (requests, context) => {
    let definition: UnaryResponseDefinition | undefined;
    const packed: Any[] = [];
    for await (const request of requests) {
      definition = packed.length === 0 ? request.responseDefinition : definition;
      packed.push(anyPack(ClientStreamRequestSchema, request));
    }
    return { payload: await answerOnce(definition, packed, context) };
  },

  async *serverStream(request, context) {
    const answers = new Answers(request.responseDefinition, context);
    answers.start();
    yield* answers.rest([anyPack(ServerStreamRequestSchema, request)]);
  },

  async *bidiStream(requests, context) {
    let answers: Answers | undefined;
    let isFullDuplex = false;
    let packed: Any[] = [];
    for await (const request of requests) {
      packed.push(anyPack(BidiStreamRequestSchema, request));
      if (answers === undefined) {
        answers = new Answers(request.responseDefinition, context);
        isFullDuplex = request.fullDuplex;
        if (isFullDuplex) {
          answers.start();
        }
      }
      if (isFullDuplex) {
        const payload = await answers.next(packed);
        if (payload === undefined) {
          break;
        }
        yield { payload };
        packed = [];
      }
    }
    if (answers !== undefined) {
      answers.start();
      yield* answers.rest(packed);
    }
  },
};

/** The one answer of a call whose answer is no stream. */
async function answerOnce(
  definition: UnaryResponseDefinition | undefined,
  requests: readonly Any[],
  context: HandlerContext,
): Promise<ConformancePayload> {
  const info = requestInfo(context, requests);
  if (definition === undefined) {
    return create(ConformancePayloadSchema, { requestInfo: info });
  }
  addHeaders(context.responseHeader, definition.responseHeaders);
  addHeaders(context.responseTrailer, definition.responseTrailers);
  await delay(definition.responseDelayMs, undefined, { signal: context.signal });
  const { response } = definition;
  if (response.case === "error") {
    throw toError(response.value, info);
  }
  const data = response.case === "responseData" ? response.value : new Uint8Array();
  return create(ConformancePayloadSchema, { data, requestInfo: info });
}

/** The answers of a call whose answer is a stream. */
class Answers {
  readonly #definition: StreamResponseDefinition | undefined;
  readonly #context: HandlerContext;
  #sent = 0;
  #isStarted = false;

  constructor(definition: StreamResponseDefinition | undefined, context: HandlerContext) {
    this.#definition = definition;
    this.#context = context;
    addHeaders(context.responseHeader, definition?.responseHeaders ?? []);
    addHeaders(context.responseTrailer, definition?.responseTrailers ?? []);
  }

  /** Sends the headers now if answers will follow. */
  start(): void {
    if (!this.#isStarted && this.#definition !== undefined) {
      this.#isStarted = true;
      if (this.#definition.responseData.length > 0) {
        sendHeaders(this.#context);
      }
    }
  }

  /** The next answer, which tells of `requests`; undefined when there is none. */
  async next(requests: readonly Any[]): Promise<ConformancePayload | undefined> {
    const data = this.#definition?.responseData[this.#sent];
    if (this.#definition === undefined || data === undefined) {
      return undefined;
    }
    const isFirst = this.#sent === 0;
    // Before the delay, of which the time that is left does not lack then.
    const info = isFirst ? requestInfo(this.#context, requests) : { requests: [...requests] };
    await delay(this.#definition.responseDelayMs, undefined, { signal: this.#context.signal });
    this.#sent += 1;
    return create(ConformancePayloadSchema, { data, requestInfo: info });
  }

  /** The answers that are left, and then the error, if one is wanted. */
  async *rest(requests: readonly Any[]): AsyncIterable<{ payload: ConformancePayload }> {
    const told = this.#sent === 0 ? requests : [];
    for (;;) {
      const payload = await this.next(this.#sent === 0 ? told : []);
      if (payload === undefined) {
        break;
      }
      yield { payload };
    }
    const error = this.#definition?.error;
    if (error !== undefined) {
      throw toError(error, this.#sent === 0 ? requestInfo(this.#context, requests) : undefined);
    }
  }
}
