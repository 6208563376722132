// SPDX-License-Identifier: Apache-2.0

import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
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
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { type FailureReport, toConnectError } from "../interceptor/error.js";
import { CallContext } from "./call-context.js";
import { createEarlyHeaders } from "./early-headers.js";
import { EnvelopeReader, toEnvelope } from "./envelope-reader.js";
import { withHeaders } from "./headers.js";
import { hungUp } from "./reason.js";

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
  /** Whether errors carry a `pawl.v1.ErrorDetail`. */
  readonly isDetailed: boolean;
}

type AnyCall = Parameters<Interceptor>[0];
type AnyRequest = UnaryRequest | StreamRequest;
type AnyResponse = UnaryResponse | StreamResponse;

const okHeaders: OutgoingHttpHeaders = { ":status": 200, "content-type": "application/grpc+proto" };
const okTrailers: OutgoingHttpHeaders = { "grpc-status": "0" };
const thenTrailers = { waitForTrailers: true };
const withoutBody = { endStream: true };

/** One gRPC call on an HTTP/2 stream, from its headers to its trailers. */
export class PlainCall {
  readonly #served: PlainMethod;
  readonly #stream: ServerHttp2Stream;
  readonly #context: CallContext;
  readonly #body: EnvelopeReader;
  #isAnswered = false;
  #response: AnyResponse | undefined;
  #trailers: OutgoingHttpHeaders = okTrailers;

  constructor(served: PlainMethod, stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.#served = served;
    this.#stream = stream;
    this.#context = new CallContext(headers);
    const kind = served.spec.kind === "unary" ? "unary" : "server-streaming";
    this.#body = new EnvelopeReader(served.readMaxBytes, kind);
    stream.on("data", (chunk: Buffer) => this.#read(chunk));
    stream.on("close", () => this.abort(hungUp));
    // A stream that failed closes, too, and only that matters.
    stream.on("error", () => {});
    void this.#run();
  }

  /** Gives the call up: whoever looks at its signal is told. */
  abort(reason: ConnectError): void {
    this.#context.abort(reason);
  }

  #read(chunk: Buffer): void {
    if (this.#isAnswered) {
      return;
    }
    try {
      this.#body.add(chunk);
    } catch (error) {
      this.#fail(toConnectError(error, this.#served));
      // What the caller has still to send is of no use.
      this.#stream.close(constants.NGHTTP2_NO_ERROR);
    }
  }

  async #run(): Promise<void> {
    // Awaited, since a stream calls back outside of the asynchronous context in which it was handed
    // over, and that tells who the caller is.
    await new Promise<void>((resolve) => this.#stream.on("end", resolve));
    if (this.#isAnswered) {
      return;
    }
    const { procedure, interceptors, report } = this.#served;
    try {
      const call = interceptors.reduceRight<AnyCall>((next, around) => around(next), this.#invoke);
      const response = await call(this.#request());
      await (response.stream ? this.#sendStream(response) : this.#sendMessage(response));
    } catch (error) {
      const sent = toConnectError(error, this.#served);
      if (!(error instanceof ConnectError)) {
        // Interceptors let nothing else pass, so that nobody has told of it yet.
        report(procedure, error, sent);
      }
      this.#fail(sent);
    }
    this.#context.end();
  }

  #request(): AnyRequest {
    const { spec } = this.#served;
    const message = parse(spec.method.input, this.#body.message());
    if (spec.kind === "unary") {
      return this.#context.toRequest({ stream: false, method: spec.method, message });
    }
    this.#context.values = createEarlyHeaders((header) => this.#open(header));
    const messages = createAsyncIterable([message]);
    return this.#context.toRequest({ stream: true, method: spec.method, message: messages });
  }

  /** Calls the service: what the innermost interceptor calls. */
  readonly #invoke = async (request: AnyRequest): Promise<AnyResponse> => {
    const { spec } = this.#served;
    const context = this.#context;
    const handlerContext = context.toHandlerContext(request);
    if (spec.kind === "unary" && !request.stream) {
      const reply = await spec.impl(request.message, handlerContext);
      const message = create(spec.method.output, reply);
      this.#response = context.toResponse({ stream: false, method: spec.method, message });
    } else if (spec.kind === "server_streaming" && request.stream) {
      const replies = spec.impl(await firstOf(request.message), handlerContext);
      const message = normalize(spec.method.output, replies);
      this.#response = context.toResponse({ stream: true, method: spec.method, message });
    } else {
      throw new Error("an interceptor changed the kind of a request");
    }
    return this.#response;
  };

  #sendMessage(response: UnaryResponse): void {
    const frame = toEnvelope(toBinary(this.#served.spec.method.output, response.message));
    this.#open(this.#answerOf(response).header);
    this.#close(this.#answerOf(response).trailer, frame);
  }

  async #sendStream(response: StreamResponse): Promise<void> {
    const { output } = this.#served.spec.method;
    const stream = this.#stream;
    const replies = response.message[Symbol.asyncIterator]();
    // A service that does not look at its signal learns so that nobody reads any more.
    stream.once("close", () => void replies.return?.().catch(() => {}));
    if (response !== this.#response) {
      // What an interceptor has put in their place, before the service's own loop adds to them.
      this.#context.responseHeader = response.header;
    }
    for (let next = await replies.next(); next.done !== true; next = await replies.next()) {
      this.#open(this.#context.answer.header);
      if (stream.destroyed || stream.closed) {
        return;
      }
      if (!stream.write(toEnvelope(toBinary(output, next.value)))) {
        await drained(stream);
      }
    }
    this.#open(this.#context.answer.header);
    this.#close(this.#answerOf(response).trailer, undefined);
  }

  /** Headers and trailers that are not the protocol's; undefined where nobody asked for them. */
  #answerOf(response: AnyResponse): Partial<Record<"header" | "trailer", Headers | undefined>> {
    // An interceptor may have put others in their place.
    return response === this.#response ? this.#context.answer : response;
  }

  #fail(error: ConnectError): void {
    const { header, trailer } = this.#context.answer;
    const status = setTrailerStatus(new Headers(trailer), error);
    if (header === undefined && !this.#isAnswered && !this.#stream.closed) {
      // No message and no headers of the service's own: gRPC then has all in one frame.
      this.#isAnswered = true;
      this.#stream.respond(withHeaders(okHeaders, status), withoutBody);
      return;
    }
    this.#trailers = {};
    this.#open(header);
    this.#close(status, undefined);
  }

  /** Sends the headers, unless they are on their way. */
  #open(header: Headers | undefined): void {
    const stream = this.#stream;
    if (this.#isAnswered || stream.destroyed || stream.closed) {
      return;
    }
    this.#isAnswered = true;
    stream.on("wantTrailers", () => stream.sendTrailers(this.#trailers));
    stream.respond(header === undefined ? okHeaders : withHeaders(okHeaders, header), thenTrailers);
  }

  /** Ends the answer with its last message, if any, and its trailers. */
  #close(trailer: Headers | undefined, frame: Buffer | undefined): void {
    if (trailer !== undefined) {
      this.#trailers = withHeaders(this.#trailers, trailer);
    }
    if (!this.#stream.destroyed && !this.#stream.closed) {
      this.#stream.end(frame);
    }
  }
}

/** Resolves when a stream takes more, or nothing ever again. */
function drained(stream: ServerHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done);
      stream.off("close", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
  });
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
