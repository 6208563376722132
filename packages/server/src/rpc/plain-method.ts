// SPDX-License-Identifier: Apache-2.0

import {
  create,
  type DescMessage,
  fromBinary,
  type Message,
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
import { type FailureReport, toConnectError } from "../interceptor/error.js";
import type { MessageCount } from "../limit/message-count.js";
import type { CallContext } from "./call-context.js";
import { type FieldRules, withoutForeignFields } from "./foreign-fields.js";

/** Looks at a request before it goes to a service. */
export type RequestCheck = (schema: DescMessage, message: Message) => boolean;

/** A method as it is served. */
interface Served<Spec extends MethodImplSpec> {
  /** Service and method, for the log. */
  readonly procedure: string;
  readonly spec: Spec;
  /** Of a unary method without that for errors, which `invokeUnary` sees to. */
  readonly interceptors: readonly Interceptor[];
  /**
   * Whether the interceptors of a unary method would let a request through as it is: then it spares
   * them, and the forms of request and answer that they need. @default they may do anything
   */
  readonly passes: RequestCheck | undefined;
  readonly readMaxBytes: number;
  /** Looks at requests before they are read. */
  readonly messages: MessageCount;
  readonly report: FailureReport;
  /** What is left out of its requests before they are read. */
  readonly rules: FieldRules | undefined;
  /** Whether errors carry a `pawl.v1.ErrorDetail`. */
  readonly isDetailed: boolean;
}

type Kind<Name extends MethodImplSpec["kind"]> = Extract<MethodImplSpec, { readonly kind: Name }>;

/** A method with one message in the request and one in the answer, as it is served. */
export type UnaryMethod = Served<Kind<"unary">>;

/** A method with one message in the request and a stream of them in the answer, as it is served. */
export type AnswerStreamMethod = Served<Kind<"server_streaming">>;

/** A method with one message in the request. */
export type PlainMethod = UnaryMethod | AnswerStreamMethod;

/** A message, with headers and trailers where somebody has set some. */
export interface PlainAnswer {
  readonly message: Message;
  readonly header: Headers | undefined;
  readonly trailer: Headers | undefined;
}

type AnyCall = Parameters<Interceptor>[0];
type AnyRequest = UnaryRequest | StreamRequest;

/** Whether a method is a unary one. */
export function isUnaryMethod(method: PlainMethod): method is UnaryMethod {
  return method.spec.kind === "unary";
}

/**
 * Takes a unary call to its service, however it came to the server. Rejects with a ConnectError that
 * is as the caller gets it, and told of; where the request's bytes are no message, in the words of
 * Connect's handlers.
 */
export async function invokeUnary(
  method: UnaryMethod,
  context: CallContext,
  bytes: Uint8Array,
): Promise<PlainAnswer> {
  const { spec, interceptors, passes, procedure } = method;
  const message = parse(method, bytes);
  try {
    if (interceptors.length > 0 && passes?.(spec.method.input, message) !== true) {
      return await throughInterceptors(method, context, message);
    }
    const reply = await spec.impl(message, context.toHandlerContext(spec.method));
    const { header, trailer } = context.answer;
    return { message: create(spec.method.output, reply), header, trailer };
  } catch (error) {
    const { signal } = context;
    const sent = toConnectError(error, { isDetailed: method.isDetailed, signal });
    method.report(procedure, error, sent);
    throw sent;
  }
}

async function throughInterceptors(
  { spec, interceptors }: UnaryMethod,
  context: CallContext,
  message: Message,
): Promise<PlainAnswer> {
  const { method, impl } = spec;
  const serve = async (request: AnyRequest): Promise<UnaryResponse> => {
    if (request.stream) {
      throw new Error("an interceptor changed the kind of a request");
    }
    const reply = await impl(request.message, context.toHandlerContext(method, request));
    return context.toResponse({ stream: false, method, message: create(method.output, reply) });
  };
  const call = interceptors.reduceRight<AnyCall>((next, around) => around(next), serve);
  const response = await call(context.toRequest({ stream: false, method, message }));
  if (response.stream) {
    throw new Error("an interceptor changed the kind of an answer");
  }
  return { message: response.message, ...context.answerOf(response) };
}

/** Takes a call to its service, through all interceptors. Rejects with what these throw. */
export async function invokeStream(
  served: AnswerStreamMethod,
  context: CallContext,
  bytes: Uint8Array,
): Promise<StreamResponse> {
  const { method, impl } = served.spec;
  const messages = createAsyncIterable([parse(served, bytes)]);
  const serve = async (request: AnyRequest): Promise<StreamResponse> => {
    if (!request.stream) {
      throw new Error("an interceptor changed the kind of a request");
    }
    const sent = await firstOf(request.message);
    const replies = impl(sent, context.toHandlerContext(method, request));
    const message = normalize(method.output, replies);
    return context.toResponse({ stream: true, method, message });
  };
  const call = served.interceptors.reduceRight<AnyCall>((next, around) => around(next), serve);
  const response = await call(context.toRequest({ stream: true, method, message: messages }));
  if (!response.stream) {
    throw new Error("an interceptor changed the kind of an answer");
  }
  return response;
}

async function firstOf<T>(messages: AsyncIterable<T>): Promise<T> {
  for await (const message of messages) {
    return message;
  }
  throw new Error("an interceptor took the message out of a request");
}

/** A service's replies as whole messages. Each costs one promise more, where a generator takes several. */
function normalize<Desc extends DescMessage>(
  schema: Desc,
  replies: AsyncIterable<MessageInitShape<Desc>>,
): AsyncIterable<MessageShape<Desc>> {
  const toWhole = ({
    done,
    value,
  }: IteratorResult<MessageInitShape<Desc>>): IteratorResult<MessageShape<Desc>> =>
    done === true ? { done, value } : { done: false, value: create(schema, value) };
  return {
    [Symbol.asyncIterator]() {
      const source = replies[Symbol.asyncIterator]();
      return {
        next: () => source.next().then(toWhole),
        return: async () => {
          await source.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** As Connect's handlers read a message, in words that `toConnectError` knows. */
function parse({ spec, rules, messages }: PlainMethod, bytes: Uint8Array): Message {
  messages.require(bytes);
  const cleaned = rules === undefined ? bytes : withoutForeignFields(bytes, rules);
  try {
    return fromBinary(spec.method.input, cleaned);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new ConnectError(`parse binary: ${text}`, Code.Internal, undefined, undefined, error);
  }
}
