// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import {
  type ClientHttp2Stream,
  connect,
  createServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { expect, onTestFinished, test } from "vitest";
import { replaceStreamTable, StreamTable } from "./session-streams.js";

/** A session of Node's with its streams in a table of ours, and how to open streams on it. */
async function openSession() {
  const server = createServer();
  const replaced: boolean[] = [];
  const streams: ServerHttp2Stream[] = [];
  server.on("session", (session) => replaced.push(replaceStreamTable(session)));
  server.on("stream", (stream) => streams.push(stream));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const client = connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  const [session]: ServerHttp2Session[] = await once(server, "session");
  const open = async (): Promise<[ClientHttp2Stream, ServerHttp2Stream]> => {
    const request = client.request({ ":method": "POST" });
    await once(server, "stream");
    const stream = streams.at(-1);
    if (stream === undefined) throw new Error("no stream was opened");
    return [request, stream];
  };
  return { replaced, session, client, open };
}

test("this Node's sessions keep their streams in a table of ours, and serve them", async () => {
  const { replaced, open } = await openSession();
  expect(replaced).toEqual([true]);
  const calls = [await open(), await open(), await open()];
  for (const [index, [request, stream]] of calls.entries()) {
    stream.respond({ ":status": 200, "x-index": String(index) }, { endStream: true });
    const [headers] = await once(request, "response");
    expect(headers["x-index"]).toBe(String(index));
    request.end();
    request.resume();
    await once(stream.resume(), "close");
  }
});

test("a session that ends takes its open streams with it", async () => {
  const { session, open } = await openSession();
  const [, first] = await open();
  const [, second] = await open();
  const closed = Promise.all([once(first, "close"), once(second, "close")]);
  session?.destroy();
  await closed;
  expect([first.destroyed, second.destroyed]).toEqual([true, true]);
});

test("a session that says goodbye waits for its open streams", async () => {
  const { session, client, open } = await openSession();
  const [request, stream] = await open();
  session?.close();
  await once(client, "goaway");
  expect(session?.destroyed).toBe(false);
  stream.respond({ ":status": 204 }, { endStream: true });
  request.end();
  request.resume();
  stream.resume();
  if (session?.destroyed === false) await once(session, "close");
  expect(stream.destroyed).toBe(true);
});

test.each([
  ["has no state", {}],
  ["has a state of another form", { [Symbol("state")]: { streams: [] } }],
  ["has streams already", { [Symbol("state")]: { streams: new Map([[1, {}]]) } }],
])("a session that %s is left as it is", (_how, session) => {
  const before = structuredClone(Object.getOwnPropertySymbols(session).length);
  expect(replaceStreamTable(session)).toBe(false);
  expect(Object.getOwnPropertySymbols(session)).toHaveLength(before);
});

test("a table of streams does what a Map does", () => {
  const both = [new StreamTable<string>(), new Map<number, string>()];
  const [table, map] = both.map((one) => {
    one.set(1, "a").set(3, "b").set(5, "c").set(1, "d");
    const deleted = [one.delete(3), one.delete(4)];
    const visited: unknown[] = [];
    one.forEach((value, key, whole) => {
      visited.push([value, key, whole === one]);
    });
    const lists = [[...one], [...one.keys()], [...one.values()], [...one.entries()]];
    const single = [one.get(1), one.get(3), one.has(5), one.has(3), one.size];
    one.clear();
    return [deleted, visited, lists, single, one.size, [...one]];
  });
  expect(table).toEqual(map);
});
