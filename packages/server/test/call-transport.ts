// SPDX-License-Identifier: Apache-2.0

import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { ConnectError, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  type CallError,
  type CallRequestSchema,
  type CallResponse,
  CallService,
  type UnaryAnswer,
} from "@pawl/protocol";

/** Sends each unary call of Pawl's services on a stream of calls of its own, and the rest over gRPC. */
export function createCallTransport(options: Parameters<typeof createGrpcTransport>[0]): Transport {
  const grpc = createGrpcTransport(options);
  return {
    stream: grpc.stream.bind(grpc),
    async unary(method, signal, timeoutMs, header, input, values) {
      if (!method.parent.typeName.startsWith("pawl.v1.")) {
        return grpc.unary(method, signal, timeoutMs, header, input, values);
      }
      const stream = new CallStreamByHand(grpc, header);
      stream.call(7, method, input, timeoutMs);
      try {
        const answer = await stream.next();
        if (answer?.result.case !== "response") throw errorOf(answer?.result.value);
        const message = fromBinary(method.output, answer.result.value);
        const facts = { header: new Headers(), trailer: new Headers() };
        return { stream: false, service: method.parent, method, message, ...facts };
      } finally {
        stream.leave();
      }
    },
  };
}

/** The error of an answer, as a client makes it. */
export function errorOf(error: CallError | undefined): ConnectError {
  const thrown = new ConnectError(error?.message ?? "", error?.code);
  thrown.details = (error?.details ?? []).map(({ typeUrl, value }) => {
    return { type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1), value };
  });
  return thrown;
}

type Message = MessageInitShape<typeof CallRequestSchema>;

/** Messages to send, as they come. */
class Outbox implements AsyncIterable<Message> {
  readonly #queue: Message[] = [];
  #hasEnded = false;
  #wake = (): void => {};

  push(message: Message): void {
    this.#queue.push(message);
    this.#wake();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message> {
    for (;;) {
      const message = this.#queue.shift();
      if (message !== undefined) {
        yield message;
      } else if (this.#hasEnded) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

/** One stream of calls, driven by hand. */
export class CallStreamByHand {
  readonly #outbox = new Outbox();
  readonly #leaving = new AbortController();
  readonly #responses: AsyncIterator<CallResponse>;
  #answers: UnaryAnswer[] = [];

  constructor(transport: Transport, header?: HeadersInit) {
    const { call } = CallService.method;
    const { signal } = this.#leaving;
    const opened = transport.stream(call, signal, undefined, header, this.#outbox);
    this.#responses = (async function* () {
      yield* (await opened).message;
    })();
  }

  /** Sends a message. */
  send(message: Message): void {
    this.#outbox.push(message);
  }

  /** Makes a call. */
  call<I extends DescMessage>(
    number: number,
    method: DescMethodUnary<I>,
    input: MessageInitShape<I>,
    timeoutMs = 0,
  ): void {
    const request = toBinary(method.input, create(method.input, input));
    const name = `${method.parent.typeName}/${method.name}`;
    this.send({ calls: [{ number, method: name, request, timeoutMs }] });
  }

  /** Sends no more. */
  end(): void {
    this.#outbox.end();
  }

  /** The next message of the server; undefined at the end. */
  async nextMessage(): Promise<CallResponse | undefined> {
    const next = await this.#responses.next();
    return next.done === true ? undefined : next.value;
  }

  /** The next answer; undefined at the end. */
  async next(): Promise<UnaryAnswer | undefined> {
    while (this.#answers.length === 0) {
      const message = await this.nextMessage();
      if (message === undefined) return undefined;
      this.#answers = message.answers;
    }
    return this.#answers.shift();
  }

  /** Hangs up. */
  leave(): void {
    this.#leaving.abort();
    this.end();
  }
}
