// SPDX-License-Identifier: Apache-2.0

// Paths that Dapr's REST API does not have: list, history, wait and watch.

import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { PawlServer } from "../src/index.js";
import { completed, startWorker } from "./task-hub-worker.js";
import { rest, startServer } from "./test-server.js";

const dapr = "/v1.0/workflows/dapr";

interface ReadEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: unknown;
}

/** Reads server-sent events as a browser would. */
class EventReader {
  readonly #stop = new AbortController();
  readonly #events: AsyncGenerator<ReadEvent, void>;

  constructor(server: PawlServer, path: string, headers: Readonly<Record<string, string>> = {}) {
    const answer = fetch(`${server.url}${path}`, { headers, signal: this.#stop.signal });
    this.#events = eventsOf(answer);
  }

  async next(): Promise<ReadEvent> {
    const { done, value } = await this.#events.next();
    if (done === true) throw new Error("the stream has ended");
    return value;
  }

  leave(): void {
    this.#stop.abort();
  }
}

async function* eventsOf(answer: Promise<Response>): AsyncGenerator<ReadEvent, void> {
  const { body, headers } = await answer;
  expect(headers.get("content-type")).toBe("text/event-stream");
  let text = "";
  for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const fields = new Map(
        text
          .slice(0, end)
          .split("\n")
          .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      text = text.slice(end + 2);
      yield {
        event: fields.get("event") ?? "",
        id: fields.get("id"),
        data: JSON.parse(fields.get("data") ?? ""),
      };
    }
  }
}

async function start(server: PawlServer, id: string, workflow = "order"): Promise<void> {
  await server.engine.start({ workflow, instanceId: id, input: "1" });
}

describe("list", () => {
  test("gives instances page by page", async () => {
    const server = await startServer();
    for (const id of ["a", "b", "c"]) await start(server, id);
    const first = await rest(server, "GET", `${dapr}?pageSize=2&payloads=true`);
    const { nextPageToken } = first.json as { nextPageToken: string };
    const second = await rest(server, "GET", `${dapr}?pageSize=2&pageToken=${nextPageToken}`);

    expect(first).toMatchObject({
      status: 200,
      json: { instances: [{ properties: { "dapr.workflow.input": "1" } }, {}] },
    });
    const ids = [first, second].flatMap((page) =>
      (page.json as { instances: { instanceID: string }[] }).instances.map((one) => one.instanceID),
    );
    expect(ids.sort()).toEqual(["a", "b", "c"]);
  });

  test("takes only what is asked for", async () => {
    const server = await startServer();
    await start(server, "x-1");
    await start(server, "x-2", "other");
    await start(server, "y-3");
    await start(server, "x-4");
    await server.engine.terminate("x-4");
    const query = "status=pending&status=RUNNING&workflow=order&idPrefix=x-";
    const { json } = await rest(server, "GET", `${dapr}?${query}`);

    expect(json).toMatchObject({ instances: [{ instanceID: "x-1" }] });
  });

  test.each(["status=x", "pageSize=-1", "pageSize=a", "payloads=maybe", "watch=1"])(
    "refuses %s",
    async (query) => {
      const server = await startServer();
      expect(await rest(server, "GET", `${dapr}?${query}`)).toMatchObject({
        status: 400,
        json: { errorCode: "ERR_MALFORMED_REQUEST" },
      });
    },
  );

  test("is not there in strict mode", async () => {
    const server = await startServer({ strictDapr: true });
    expect((await rest(server, "GET", dapr)).json).toMatchObject({
      errorCode: "ERR_DIRECT_INVOKE",
    });
  });
});

describe("history", () => {
  test("gives the events in protobuf's JSON", async () => {
    const server = await startServer();
    await start(server, "a");
    await server.engine.terminate("a", { output: '"done"' });
    const { status, json } = await rest(server, "GET", `${dapr}/a/history`);

    expect(status).toBe(200);
    const { events } = json as { events: Record<string, unknown>[] };
    expect(events.map((event) => Object.keys(event).at(-1))).toContain("executionStarted");
    expect(events.at(-1)).toMatchObject({ executionCompleted: { result: '"done"' } });
  });

  test("refuses an id that nobody has", async () => {
    const server = await startServer();
    expect(await rest(server, "GET", `${dapr}/a/history`)).toMatchObject({
      status: 404,
      json: { errorCode: "ERR_INSTANCE_ID_NOT_FOUND" },
    });
  });
});

describe("wait", () => {
  test("answers with the end", async () => {
    const server = await startServer();
    await start(server, "a");
    const waiting = rest(server, "GET", `${dapr}/a/wait?timeout=60`);
    startWorker(server, { turn: () => [completed("2")] });

    expect(await waiting).toMatchObject({
      status: 200,
      json: { runtimeStatus: "COMPLETED", properties: { "dapr.workflow.output": "2" } },
    });
  });

  test("answers with what there is when the time is up", async () => {
    const server = await startServer();
    await start(server, "a");

    expect(await rest(server, "GET", `${dapr}/a/wait?timeout=0.05`)).toMatchObject({
      status: 202,
      headers: { "retry-after": "1" },
      json: { instanceID: "a", runtimeStatus: "PENDING" },
    });
    expect((await rest(server, "GET", `${dapr}/b/wait?timeout=0`)).status).toBe(404);
    expect((await rest(server, "GET", `${dapr}/b/wait?timeout=x`)).status).toBe(400);
    expect((await rest(server, "GET", `${dapr}/b/wait?timeout=301`)).status).toBe(400);
  });
});

describe("watch", () => {
  test("streams an instance's states and history to its end, and goes on where it broke", async () => {
    const server = await startServer();
    await start(server, "a");
    const first = new EventReader(server, `${dapr}/a/watch?history=true`);
    const { id, data } = await first.next();
    first.leave();
    await server.engine.terminate("a");
    const headers = { "last-event-id": id ?? "" };
    const second = new EventReader(server, `${dapr}/a/watch?history=true`, headers);
    const missed = await second.next();

    expect(data).toMatchObject({ instance: { runtimeStatus: "PENDING" }, events: [] });
    expect(missed).toMatchObject({
      event: "changed",
      data: { instance: { runtimeStatus: "TERMINATED" } },
    });
    expect((missed.data as { events: unknown[] }).events.length).toBeGreaterThan(0);
    expect(await second.next()).toMatchObject({ event: "end" });
    await expect(second.next()).rejects.toThrow("ended");
  });

  test("streams what happens to all", async () => {
    const server = await startServer();
    await start(server, "x-1");
    const query = "watch=true&existing=true&idPrefix=x-";
    const reader = new EventReader(server, `${dapr}?${query}`);
    const seen = [await reader.next(), await reader.next()];
    await start(server, "y-2");
    await server.engine.purge("x-1", { force: true });
    seen.push(await reader.next());
    reader.leave();

    expect(seen).toMatchObject([
      { event: "changed", data: { instance: { instanceID: "x-1" } } },
      { event: "caughtUp", data: {} },
      { event: "purged", data: { instanceID: "x-1" } },
    ]);
  });

  test("streams, and lists, what a filter in Dapr's grammar lets through", async () => {
    const server = await startServer();
    for (const id of ["x-1", "x-2", "x-3"]) await start(server, id);
    const filter = encodeURIComponent('{"NEQ": {"id": "x-2"}}');
    const reader = new EventReader(server, `${dapr}?watch=true&existing=true&filter=${filter}`);
    const seen = [await reader.next(), await reader.next(), await reader.next()];
    reader.leave();
    expect(seen.map(({ event }) => event)).toEqual(["changed", "changed", "caughtUp"]);
    const { json } = await rest(server, "GET", `${dapr}?filter=${filter}`);
    expect(json).toMatchObject({ instances: [{ instanceID: "x-1" }, { instanceID: "x-3" }] });
    for (const wrong of ["x", '{"EQ": {}}', '{"LIKE": {"id": "x"}}']) {
      const path = `${dapr}?filter=${encodeURIComponent(wrong)}`;
      expect((await rest(server, "GET", path)).status).toBe(400);
    }
  });

  test.each(["a/watch?history=maybe", "?watch=true&existing=maybe", "?watch=true&payloads=maybe"])(
    "refuses %s as the caller's mistake",
    async (path) => {
      const server = await startServer();
      await start(server, "a");
      const answer = await rest(server, "GET", `${dapr}${path.startsWith("?") ? "" : "/"}${path}`);
      expect(answer).toMatchObject({
        status: 400,
        json: {
          message: expect.stringMatching(/^malformed request: \w+ is neither true nor false$/),
        },
      });
    },
  );

  test("refuses with a status what it cannot begin", async () => {
    const server = await startServer();
    expect((await rest(server, "GET", `${dapr}/a/watch`)).status).toBe(404);
    await start(server, "a");
    const answer = await rest(server, "GET", `${dapr}/a/watch`, undefined, {
      "last-event-id": "nonsense",
    });
    expect(answer.status).toBe(400);
  });

  test("shows now and then that it is there, in what readers leave out", async () => {
    const server = await startServer();
    await start(server, "a");
    vi.useFakeTimers({ toFake: ["setInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const stop = new AbortController();
    const { body } = await fetch(`${server.url}${dapr}/a/watch`, { signal: stop.signal });
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toMatch(/^event: changed\n/);
    let text = "";
    const read = reader?.read().then(({ value = "" }) => {
      text = value;
    });
    await vi.waitFor(() => {
      vi.advanceTimersByTime(15_000);
      expect(text).toMatch(/^(:\n\n)+$/);
    }, 20_000);
    await read;
    stop.abort();
  });

  test("ends when the server stops", async () => {
    const server = await startServer();
    await start(server, "a");
    const reader = new EventReader(server, `${dapr}/a/watch`);
    await reader.next();
    await server.close();
    await expect(reader.next()).rejects.toThrow();
  });
});
