// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import {
  type CallRequest,
  type CallResponseSchema,
  CallService,
  ErrorDetailSchema,
  RaiseEventRequestSchema,
  RaiseEventResponseSchema,
  type UnaryAnswerSchema,
  type UnaryCall,
  WorkflowService,
} from "@pawl/protocol";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type Client, createClient } from "../../client.js";
import type { ClientOptions } from "../../options.js";

type Response = MessageInitShape<typeof CallResponseSchema>;
type Answers = (requests: AsyncIterable<CallRequest>) => AsyncIterable<Response>;
type Result = NonNullable<MessageInitShape<typeof UnaryAnswerSchema>["result"]>;

/** What came to a server: the names of events that were raised, and "wait" for what is no event. */
interface Seen {
  readonly alone: string[];
  readonly streamed: string[];
  /** Tokens of the streams. */
  readonly streams: (string | null)[];
  /** Calls in each message of streams. */
  readonly messages: number[];
  /** Numbers of streamed calls that are no events, and of those that were cancelled. */
  readonly waits: number[];
  readonly cancelled: number[];
  readonly sessions: Set<ServerHttp2Session>;
}

/** A busy machine takes longer than a second for what is done at once. */
const busy = { timeout: 20_000 };

const raised = {
  case: "response",
  value: toBinary(RaiseEventResponseSchema, create(RaiseEventResponseSchema)),
} as const;

function nameIn({ method, request }: UnaryCall): string {
  return method.endsWith("/RaiseEvent")
    ? fromBinary(RaiseEventRequestSchema, request).name
    : "wait";
}

/** A server that takes events, alone or with `answer` on streams. */
async function startServer(answer?: (seen: Seen) => Answers): Promise<Seen & { baseUrl: string }> {
  const seen: Seen = {
    alone: [],
    streamed: [],
    streams: [],
    messages: [],
    waits: [],
    cancelled: [],
    sessions: new Set(),
  };
  const server = createServer(
    connectNodeAdapter({
      routes(router) {
        router.service(WorkflowService, {
          raiseEvent({ name }) {
            seen.alone.push(name);
            return {};
          },
        });
        if (answer === undefined) return;
        router.service(CallService, {
          call(requests, { requestHeader }) {
            seen.streams.push(requestHeader.get("dapr-api-token"));
            return answer(seen)(requests);
          },
        });
      },
    }),
  );
  server.on("session", (session) => seen.sessions.add(session));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const session of seen.sessions) session.destroy();
    server.close();
  });
  return { ...seen, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/**
 * A stream that answers a call with what `take` has for it: nothing leaves it open, "end" ends the
 * stream at once.
 */
const answering =
  (take: (name: string, seen: Seen) => Result | "end" | undefined) =>
  (seen: Seen): Answers =>
    async function* (requests) {
      yield {};
      for await (const { calls, cancelledNumbers } of requests) {
        seen.messages.push(calls.length);
        seen.cancelled.push(...cancelledNumbers);
        for (const call of calls) {
          const name = nameIn(call);
          seen.streamed.push(name);
          if (name === "wait") seen.waits.push(call.number);
        }
        const answers: { number: number; result: Result }[] = [];
        for (const call of calls) {
          const result = take(nameIn(call), seen);
          if (result === "end") return;
          if (result !== undefined) answers.push({ number: call.number, result });
        }
        yield { answers };
      }
    };

/** Answers every event, and nothing else. */
const obliging = answering((name) => (name === "wait" ? undefined : raised));

function connect(baseUrl: string, options: ClientOptions = {}): Client {
  const client = createClient({ baseUrl, token: "", ...options });
  onTestFinished(() => client.close());
  return client;
}

/** Raises events until one has gone over a stream. */
async function warmUp(client: Client, seen: Seen): Promise<void> {
  await vi.waitUntil(async () => {
    await client.raiseEvent("a", "warm-up");
    return seen.streamed.length > 0;
  }, busy);
}

describe("calls of a client", () => {
  test("go by themselves while they are few", async () => {
    const server = await startServer(obliging);
    const client = connect(server.baseUrl);

    for (let count = 0; count < 7; count += 1) await client.raiseEvent("a", "e");

    expect(server.alone).toHaveLength(7);
    expect(server.streams).toEqual([]);
  });

  test("share one stream when they are many, several to a message", async () => {
    const server = await startServer(obliging);
    const client = connect(server.baseUrl);
    await warmUp(client, server);
    const names = Array.from({ length: 100 }, (_, index) => `event-${index}`);

    await Promise.all(names.map((name) => client.raiseEvent("a", name)));

    expect(server.streams).toHaveLength(1);
    expect(server.streamed.slice(-100)).toEqual(names);
    expect(server.messages.at(-1)).toBe(100);
  });

  test("go by themselves to a server that has no such stream", async () => {
    const server = await startServer();
    const client = connect(server.baseUrl);

    await Promise.all(Array.from({ length: 50 }, () => client.raiseEvent("a", "e")));
    await client.raiseEvent("a", "e");

    expect(server.alone).toHaveLength(51);
  });

  test("go by themselves when they are large", async () => {
    const server = await startServer(obliging);
    const client = connect(server.baseUrl);
    await warmUp(client, server);

    await client.raiseEvent("a", "large", "x".repeat(300_000));

    expect(server.alone.at(-1)).toBe("large");
  });
});

describe("a call on a stream", () => {
  test("rejects with the error that the server has for it", async () => {
    const details = [
      anyPack(
        ErrorDetailSchema,
        create(ErrorDetailSchema, { code: "INSTANCE_NOT_FOUND", facts: { instanceId: "a" } }),
      ),
    ];
    const error = { code: Code.NotFound, message: "no such instance", details };
    const server = await startServer(answering(() => ({ case: "error", value: error })));
    const client = connect(server.baseUrl);
    await warmUp(client, server).catch(() => {});

    await expect(client.raiseEvent("a", "e")).rejects.toMatchObject({
      code: "INSTANCE_NOT_FOUND",
      message: "no such instance",
      details: { instanceId: "a" },
    });
  });

  test("rejects when the connection breaks, and is not made again", async () => {
    const server = await startServer(
      answering((name, { sessions }) => {
        if (name !== "last") return raised;
        for (const session of sessions) session.destroy();
        return undefined;
      }),
    );
    const client = connect(server.baseUrl);
    await warmUp(client, server);

    await expect(client.raiseEvent("a", "last")).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringContaining("not known"),
    });

    const made = [...server.alone, ...server.streamed].filter((name) => name === "last");
    expect(made).toHaveLength(1);
    await client.raiseEvent("a", "next");
    expect(server.alone.at(-1)).toBe("next");
  });

  test("is made by itself when the stream ended well without its answer", async () => {
    const server = await startServer(answering((name) => (name === "late" ? "end" : raised)));
    const client = connect(server.baseUrl);
    await warmUp(client, server);

    await client.raiseEvent("a", "late");

    expect(server.alone.at(-1)).toBe("late");
  });

  test("is cancelled at once, and the server is told", async () => {
    const server = await startServer(obliging);
    const client = connect(server.baseUrl);
    await warmUp(client, server);
    const controller = new AbortController();

    const waited = client.waitForCompletion("a", { signal: controller.signal });
    await vi.waitFor(() => expect(server.waits).toHaveLength(1), busy);
    controller.abort();

    await expect(waited).rejects.toMatchObject({ code: "CANCELLED" });
    await vi.waitFor(() => expect(server.cancelled).toEqual(server.waits), busy);
    await expect(
      client.waitForCompletion("a", { signal: controller.signal }),
    ).rejects.toMatchObject({ code: "CANCELLED" });
    await client.raiseEvent("a", "e");
    expect(server.waits).toHaveLength(1);
  });

  test("rejects when the client is closed", async () => {
    const server = await startServer(obliging);
    const client = connect(server.baseUrl);
    await warmUp(client, server);

    const waited = client.waitForCompletion("a");
    waited.catch(() => {});
    await vi.waitFor(() => expect(server.streamed.at(-1)).toBe("wait"), busy);
    client.close();

    await expect(waited).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

test("a token that changes goes with a stream of its own", async () => {
  let token = "first";
  const server = await startServer(obliging);
  const client = connect(server.baseUrl, { token: () => token });
  await warmUp(client, server);

  token = "second";
  await vi.waitUntil(async () => {
    await client.raiseEvent("a", "e");
    return server.streams.length > 1;
  }, busy);

  expect(server.streams).toEqual(["first", "second"]);
});

test("a stream that fails takes no other call with it", async () => {
  const server = await startServer(
    answering(() => {
      throw new ConnectError("the stream is broken", Code.Internal);
    }),
  );
  const client = connect(server.baseUrl);

  await warmUp(client, server).catch(() => {});
  await client.raiseEvent("a", "after");

  expect(server.alone.at(-1)).toBe("after");
});
