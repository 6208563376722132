// SPDX-License-Identifier: Apache-2.0

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport, type Transport } from "@connectrpc/connect";
import {
  WorkerService,
  type WorkRequest,
  type WorkResponse,
  WorkResponseSchema,
} from "@pawl/protocol";

/** Hands over items in order to whoever waits for them. */
export class Channel<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  /** Gives an item. */
  push(item: T): void {
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#items.push(item);
    else waiter(item);
  }

  /** Takes the next item, when there is one. */
  async take(): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return item;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** One stream of a worker, from the server's side. */
export class FakeStream {
  readonly requests = new Channel<WorkRequest>();
  readonly responses = new Channel<WorkResponse | ConnectError | "end">();

  /** Sends a message. */
  send(message: MessageInitShape<typeof WorkResponseSchema>): void {
    this.responses.push(create(WorkResponseSchema, message));
  }

  /** Sends the welcome, after the announcement. */
  async welcome(): Promise<WorkRequest> {
    const announcement = await this.requests.take();
    this.send({ welcome: { workerId: "w1" } });
    return announcement;
  }

  /** Breaks the stream. */
  break(): void {
    this.responses.push(new ConnectError("gone", Code.Unavailable));
  }

  /** Ends the stream. */
  end(): void {
    this.responses.push("end");
  }
}

/** A server that knows only WorkerService, in this process. */
export class FakeWorkServer {
  readonly streams = new Channel<FakeStream>();
  readonly transport: Transport;

  constructor() {
    const connect = (requests: AsyncIterable<WorkRequest>): AsyncIterable<WorkResponse> =>
      this.#serve(requests);
    this.transport = createRouterTransport(({ service }) => {
      service(WorkerService, { work: connect });
    });
  }

  async *#serve(requests: AsyncIterable<WorkRequest>): AsyncGenerator<WorkResponse> {
    const stream = new FakeStream();
    this.streams.push(stream);
    void (async () => {
      for await (const request of requests) stream.requests.push(request);
      stream.end();
    })().catch(() => stream.end());
    for (;;) {
      const response = await stream.responses.take();
      if (response === "end") return;
      if (response instanceof ConnectError) throw response;
      yield response;
    }
  }
}
