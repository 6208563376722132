// SPDX-License-Identifier: Apache-2.0

// Headers with --strict-dapr: 4 KiB, and above that what Dapr's libraries do.

import { once } from "node:events";
import { connect, constants } from "node:http2";
import { describe, expect, onTestFinished, test } from "vitest";
import type { PawlServer } from "../src/index.js";
import { frame } from "./raw-grpc.js";
import { rest, startServer } from "./test-server.js";

const tooLarge = { status: 431, text: "431 Request Header Fields Too Large" };

function large(bytes: number): Record<string, string> {
  return { "x-large": "v".repeat(bytes) };
}

interface Answer {
  readonly status: unknown;
  readonly text: string;
  readonly reset: number;
}

/** Sends requests over one HTTP/2 connection. */
async function openHttp2({ url }: PawlServer) {
  const session = connect(url);
  session.on("error", () => {});
  onTestFinished(() => session.destroy());
  await once(session, "remoteSettings");
  return async (headers: Record<string, string>, body: string | Buffer = ""): Promise<Answer> => {
    const stream = session.request(headers, { endStream: false });
    stream.on("error", () => {});
    const answer = { status: undefined as unknown, text: "" };
    stream.on("response", (received) => {
      answer.status = received[":status"];
    });
    stream.on("data", (chunk: Buffer) => {
      answer.text += chunk.toString("latin1");
    });
    stream.end(body);
    await new Promise<void>((resolve) => stream.once("close", () => resolve()));
    return { ...answer, reset: stream.rstCode ?? 0 };
  };
}

const metadata = { ":path": "/v1.0/metadata" };
const hello = {
  ":method": "POST",
  ":path": "/TaskHubSidecarService/Hello",
  te: "trailers",
  "content-type": "application/grpc",
};

describe("with strictDapr", () => {
  test("HTTP/1.1 takes 4 KiB of header lines, and tells of more as Dapr does", async () => {
    const server = await startServer({ strictDapr: true });
    const get = (headers: Record<string, string>) =>
      rest(server, "GET", "/v1.0/metadata", undefined, headers);
    expect(await get(large(3_900))).toMatchObject({ status: 200 });
    for (const bytes of [4_096, 12_000, 20_000]) {
      const answer = await get(large(bytes));
      expect(answer).toMatchObject(tooLarge);
      expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
    }
    // Of more than that Node tells by itself.
    expect(await get(large(70_000))).toMatchObject({ status: 431, text: "" });
    expect(await get({})).toMatchObject({ status: 200 });
  });

  test("many small headers of HTTP/1.1 count no more than their lines", async () => {
    const server = await startServer({ strictDapr: true });
    const small = Object.fromEntries(
      Array.from({ length: 100 }, (_, at) => [`x-${at}`, "12345678901234567890"]),
    );
    expect(await rest(server, "GET", "/v1.0/metadata", undefined, small)).toMatchObject({
      status: 200,
    });
  });

  test("HTTP/2 takes 4 KiB, and tells of more in the same words", async () => {
    const send = await openHttp2(await startServer({ strictDapr: true }));
    expect(await send({ ...metadata, ...large(3_700) })).toMatchObject({ status: 200 });
    expect(await send({ ...metadata, ...large(4_096) })).toMatchObject(tooLarge);
    expect(await send(metadata)).toMatchObject({ status: 200 });
  });

  test("a gRPC call with more than 4 KiB of metadata is reset, and the next is served", async () => {
    const send = await openHttp2(await startServer({ strictDapr: true }));
    const empty = frame(new Uint8Array());
    expect(await send({ ...hello, ...large(3_700) }, empty)).toMatchObject({ status: 200 });
    expect(await send({ ...hello, ...large(4_096) }, empty)).toMatchObject({
      status: undefined,
      reset: constants.NGHTTP2_FRAME_SIZE_ERROR,
    });
    expect(await send(hello, empty)).toMatchObject({ status: 200 });
  });

  test("a limit that is given counts", async () => {
    const server = await startServer({ strictDapr: true, listen: { headerBytes: 8_192 } });
    const send = await openHttp2(server);
    expect(await send({ ...metadata, ...large(7_000) })).toMatchObject({ status: 200 });
    expect(await send({ ...metadata, ...large(9_000) })).toMatchObject(tooLarge);
    expect(await rest(server, "GET", "/v1.0/metadata", undefined, large(9_000))).toMatchObject(
      tooLarge,
    );
  });
});

test("without strictDapr 16 KiB are taken", async () => {
  const send = await openHttp2(await startServer());
  expect(await send({ ...metadata, ...large(15_000) })).toMatchObject({ status: 200 });
});
