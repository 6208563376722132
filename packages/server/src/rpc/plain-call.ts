// SPDX-License-Identifier: Apache-2.0

import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { toBinary } from "@bufbuild/protobuf";
import { ConnectError, type StreamResponse } from "@connectrpc/connect";
import { toEnvelope } from "@pawl/protocol";
import { toConnectError } from "../interceptor/error.js";
import { CallContext } from "./call-context.js";
import { createEarlyHeaders } from "./early-headers.js";
import { bytesOf, takeEncoded } from "./encoded-message.js";
import { EnvelopeReader } from "./envelope-reader.js";
import { setGrpcStatus } from "./grpc-status.js";
import { withHeaders } from "./headers.js";
import { invokeStream, invokeUnary, isUnaryMethod, type PlainMethod } from "./plain-method.js";
import { hungUp } from "./reason.js";

const okHeaders: OutgoingHttpHeaders = { ":status": 200, "content-type": "application/grpc+proto" };
const okTrailers: OutgoingHttpHeaders = { "grpc-status": "0" };
// gRPC has no use for a date, which Node would add.
const thenTrailers = { waitForTrailers: true, sendDate: false };
const withoutBody = { endStream: true, sendDate: false };

/** One gRPC call on an HTTP/2 stream, from its headers to its trailers. */
export class PlainCall {
  readonly #served: PlainMethod;
  readonly #stream: ServerHttp2Stream;
  readonly #context: CallContext;
  readonly #body: EnvelopeReader;
  #isAnswered = false;
  #trailers: OutgoingHttpHeaders = okTrailers;

  /** @param onClose told when the stream is gone */
  constructor(
    served: PlainMethod,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    onClose: () => void,
  ) {
    this.#served = served;
    this.#stream = stream;
    this.#context = new CallContext(headers);
    const kind = served.spec.kind === "unary" ? "unary" : "server-streaming";
    this.#body = new EnvelopeReader(served.readMaxBytes, kind);
    stream.on("data", (chunk: Buffer) => this.#read(chunk));
    stream.on("close", () => {
      this.abort(hungUp);
      onClose();
    });
    // A stream that failed closes, too, and only that matters.
    stream.on("error", ignore);
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
    const served = this.#served;
    try {
      const bytes = this.#body.message();
      if (isUnaryMethod(served)) {
        const { message, header, trailer } = await invokeUnary(served, this.#context, bytes);
        this.#open(header);
        this.#close(trailer, toEnvelope(toBinary(served.spec.method.output, message)));
      } else {
        this.#context.values = takeEncoded(createEarlyHeaders((header) => this.#open(header)));
        await this.#sendStream(await invokeStream(served, this.#context, bytes));
      }
    } catch (error) {
      const sent = toConnectError(error, served);
      if (!(error instanceof ConnectError)) {
        // All that services and interceptors throw has become one, so that nobody has told of it yet.
        served.report(served.procedure, error, sent);
      }
      this.#fail(sent);
    }
    this.#context.end();
  }

  async #sendStream(response: StreamResponse): Promise<void> {
    const { output } = this.#served.spec.method;
    const stream = this.#stream;
    const replies = response.message[Symbol.asyncIterator]();
    // A service that does not look at its signal learns so that nobody reads any more.
    stream.once("close", () => void replies.return?.().catch(() => {}));
    const { header } = this.#context.answerOf(response);
    if (header !== undefined) {
      // What an interceptor has put in their place, before the service's own loop adds to them.
      this.#context.responseHeader = header;
    }
    for (let next = await replies.next(); next.done !== true; next = await replies.next()) {
      this.#open(this.#context.answer.header);
      if (stream.destroyed || stream.closed) {
        return;
      }
      joinWrites(stream);
      if (!stream.write(toEnvelope(bytesOf(output, next.value)))) {
        await drained(stream);
      }
    }
    this.#open(this.#context.answer.header);
    this.#close(this.#context.answerOf(response).trailer, undefined);
  }

  #fail(error: ConnectError): void {
    const { header, trailer } = this.#context.answer;
    const status = setGrpcStatus(new Headers(trailer), error);
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
  #close(trailer: Headers | undefined, frame: Uint8Array | undefined): void {
    if (trailer !== undefined) {
      this.#trailers = withHeaders(this.#trailers, trailer);
    }
    if (!this.#stream.destroyed && !this.#stream.closed) {
      this.#stream.end(frame);
    }
  }
}

function ignore(): void {}

/** Has what is written before the event loop goes on leave in one piece: one frame, one write. */
function joinWrites(stream: ServerHttp2Stream): void {
  if (stream.writableCorked === 0) {
    stream.cork();
    process.nextTick(uncork, stream);
  }
}

function uncork(stream: ServerHttp2Stream): void {
  stream.uncork();
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
