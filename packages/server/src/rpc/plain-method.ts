// SPDX-License-Identifier: Apache-2.0

import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type Interceptor,
  type MethodImplSpec,
  type StreamRequest,
  type StreamResponse,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import type { FailureReport } from "../interceptor/error.js";
import type { CallContext } from "./call-context.js";
import { type FieldRules, withoutForeignFields } from "./foreign-fields.js";

/** A method with one message in the request, and one or a stream of them in the answer. */
export type PlainSpec = Extract<MethodImplSpec, { readonly kind: "unary" | "server_streaming" }>;

/** A method as it is served. */
export interface PlainMethod {
  /** Service and method, for the log. */
  readonly procedure: string;
  readonly spec: PlainSpec;
  readonly interceptors: readonly Interceptor[];
  readonly readMaxBytes: number;
  readonly report: FailureReport;
  /** What is left out of its requests before they are read. */
  readonly rules: FieldRules | undefined;
  /** Whether errors carry a `pawl.v1.ErrorDetail`. */
  readonly isDetailed: boolean;
}

type AnyCall = Parameters<Interceptor>[0];
type AnyRequest = UnaryRequest | StreamRequest;
type AnyResponse = UnaryResponse | StreamResponse;

/**
 * Takes a call through its interceptors to the service, however it came to the server. Rejects with
 * what these throw; with a ConnectError in the words of Connect's handlers where the request's bytes
 * are no message.
 */
export async function invoke(
  method: PlainMethod,
  context: CallContext,
  bytes: Uint8Array,
): Promise<AnyResponse> {
  const { interceptors, spec, rules } = method;
  const cleaned = rules === undefined ? bytes : withoutForeignFields(bytes, rules);
  const innermost = (request: AnyRequest): Promise<AnyResponse> => serve(spec, context, request);
  const call = interceptors.reduceRight<AnyCall>((next, around) => around(next), innermost);
  return call(requestOf(spec, context, cleaned));
}

function requestOf(spec: PlainSpec, context: CallContext, bytes: Uint8Array): AnyRequest {
  const message = parse(spec.method.input, bytes);
  if (spec.kind === "unary") {
    return context.toRequest({ stream: false, method: spec.method, message });
  }
  const messages = createAsyncIterable([message]);
  return context.toRequest({ stream: true, method: spec.method, message: messages });
}

/** Calls the service: what the innermost interceptor calls. */
async function serve(
  spec: PlainSpec,
  context: CallContext,
  request: AnyRequest,
): Promise<AnyResponse> {
  const handlerContext = context.toHandlerContext(request);
  if (spec.kind === "unary" && !request.stream) {
    const reply = await spec.impl(request.message, handlerContext);
    const message = create(spec.method.output, reply);
    return context.toResponse({ stream: false, method: spec.method, message });
  }
  if (spec.kind === "server_streaming" && request.stream) {
    const replies = spec.impl(await firstOf(request.message), handlerContext);
    const message = normalize(spec.method.output, replies);
    return context.toResponse({ stream: true, method: spec.method, message });
  }
  throw new Error("an interceptor changed the kind of a request");
}

async function firstOf<T>(messages: AsyncIterable<T>): Promise<T> {
  for await (const message of messages) {
    return message;
  }
  throw new Error("an interceptor took the message out of a request");
}

/** A service's replies as whole messages. */
function normalize<Desc extends DescMessage>(
  schema: Desc,
  replies: AsyncIterable<MessageInitShape<Desc>>,
): AsyncIterable<MessageShape<Desc>> {
  return {
    [Symbol.asyncIterator]() {
      const source = replies[Symbol.asyncIterator]();
      return {
        next: async () => {
          const { done, value } = await source.next();
          return done === true ? { done, value } : { done: false, value: create(schema, value) };
        },
        return: async () => {
          await source.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** As Connect's handlers read a message, in words that `toConnectError` knows. */
function parse<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  try {
    return fromBinary(schema, bytes);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new ConnectError(`parse binary: ${text}`, Code.Internal, undefined, undefined, error);
  }
}
