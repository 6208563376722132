// SPDX-License-Identifier: Apache-2.0

import { AsyncResource } from "node:async_hooks";
import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type Interceptor,
  type MethodImpl,
  type StreamRequest,
  type StreamResponse,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { type FailureReport, toConnectError } from "../interceptor/error.js";
import { CallContext } from "./call-context.js";
import { EnvelopeReader, toEnvelope } from "./envelope-reader.js";
import { withHeaders } from "./headers.js";
import { hungUp } from "./reason.js";

/** A unary method as it is served. */
export interface UnaryMethod {
  /** Service and method, for the log. */
  readonly procedure: string;
  readonly method: DescMethodUnary;
  readonly impl: MethodImpl<DescMethodUnary>;
  readonly interceptors: readonly Interceptor[];
  readonly readMaxBytes: number;
  readonly report: FailureReport;
  /** Whether errors carry a `pawl.v1.ErrorDetail`. */
  readonly isDetailed: boolean;
}

type AnyCall = Parameters<Interceptor>[0];

const okHeaders: OutgoingHttpHeaders = { ":status": 200, "content-type": "application/grpc+proto" };
const okTrailers: OutgoingHttpHeaders = { "grpc-status": "0" };
const thenTrailers = { waitForTrailers: true };
const withoutBody = { endStream: true };

/** One unary gRPC call on an HTTP/2 stream, from its headers to its trailers. */
export class UnaryCall {
  readonly #served: UnaryMethod;
  readonly #stream: ServerHttp2Stream;
  readonly #context: CallContext;
  readonly #body: EnvelopeReader;
  #isAnswered = false;
  #response: UnaryResponse | undefined;

  constructor(served: UnaryMethod, stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.#served = served;
    this.#stream = stream;
    this.#context = new CallContext(served.method, headers);
    this.#body = new EnvelopeReader(served.readMaxBytes);
    stream.on("data", (chunk: Buffer) => this.#read(chunk));
    // Bound, since a stream calls back outside of the context in which it was handed over.
    stream.on(
      "end",
      AsyncResource.bind(() => void this.#run()),
    );
    stream.on("close", () => this.abort(hungUp));
    // A stream that failed closes, too, and only that matters.
    stream.on("error", () => {});
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
    if (this.#isAnswered) {
      return;
    }
    const { procedure, method, interceptors, report } = this.#served;
    try {
      const request = this.#context.toRequest(parse(method.input, this.#body.message()));
      const call = interceptors.reduceRight<AnyCall>((next, around) => around(next), this.#invoke);
      this.#succeed(await call(request));
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

  /** Calls the service: what the innermost interceptor calls. */
  readonly #invoke = async (request: UnaryRequest | StreamRequest): Promise<UnaryResponse> => {
    if (request.stream) {
      throw new Error("an interceptor made a stream of a unary request");
    }
    const { method, impl } = this.#served;
    const context = this.#context;
    const reply = await impl(request.message, context.toHandlerContext(request));
    this.#response = {
      stream: false,
      service: method.parent,
      method,
      message: create(method.output, reply),
      get header() {
        return context.responseHeader;
      },
      get trailer() {
        return context.responseTrailer;
      },
    };
    return this.#response;
  };

  #succeed(response: UnaryResponse | StreamResponse): void {
    if (response.stream) {
      throw new Error("an interceptor made a stream of a unary response");
    }
    const frame = toEnvelope(toBinary(this.#served.method.output, response.message));
    // An interceptor may have put others in their place.
    const { header, trailer } = response === this.#response ? this.#context.answer : response;
    this.#send(
      header,
      frame,
      trailer === undefined ? okTrailers : withHeaders(okTrailers, trailer),
    );
  }

  #fail(error: ConnectError): void {
    const { header, trailer } = this.#context.answer;
    const status = setTrailerStatus(new Headers(trailer), error);
    if (header === undefined) {
      // No message and no headers of the service's own: gRPC then has all in one frame.
      this.#send(status, undefined, undefined);
    } else {
      this.#send(header, undefined, withHeaders({}, status));
    }
  }

  #send(
    header: Headers | undefined,
    frame: Buffer | undefined,
    trailers: OutgoingHttpHeaders | undefined,
  ): void {
    const stream = this.#stream;
    this.#isAnswered = true;
    if (stream.destroyed || stream.closed) {
      return;
    }
    const headers = header === undefined ? okHeaders : withHeaders(okHeaders, header);
    if (trailers === undefined) {
      stream.respond(headers, withoutBody);
      return;
    }
    stream.on("wantTrailers", () => stream.sendTrailers(trailers));
    stream.respond(headers, thenTrailers);
    stream.end(frame);
  }
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
