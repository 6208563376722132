// SPDX-License-Identifier: Apache-2.0

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FuzzedServer, startFuzzedServer } from "./fuzzed-server.ts";
import { type Call, Http2Caller } from "./http2-caller.ts";
import { binaryCall, envelopeCall, headerCall, idCall, jsonCall } from "./input/call.ts";
import { http1Bytes, http2Bytes } from "./input/raw.ts";
import { streamedCalls } from "./input/streamed-calls.ts";
import { sendRaw } from "./raw-socket.ts";
import { fuzz, inputCount, seed } from "./run.ts";
import { findFault, findStreamedFault } from "./verdict.ts";

let server: FuzzedServer;
let caller: Http2Caller;

beforeAll(async () => {
  process.stdout.write(`fuzz: PAWL_FUZZ_SEED=${seed} PAWL_FUZZ_INPUTS=${inputCount}\n`);
  server = await startFuzzedServer();
  caller = new Http2Caller(server.url);
});

afterAll(async () => {
  caller.close();
  await server.close();
});

/** Sends one call; a fault names the call. */
async function sendCall(call: Call): Promise<string | undefined> {
  const answer = await caller.send(call);
  const fault = findFault(answer) ?? findStreamedFault(call.path, answer);
  if (fault === undefined) {
    return undefined;
  }
  const body = Buffer.from(call.body).toString("base64").slice(0, 500);
  return `${fault} to ${call.method} ${call.path} ${JSON.stringify(call.headers)} ${body}`;
}

async function sendBytes(bytes: Uint8Array): Promise<undefined> {
  await sendRaw(server.host, server.port, bytes);
}

describe("the server answers or refuses, and goes on, whatever is", () => {
  test.each([
    ["in a binary message", 0.22, binaryCall],
    ["in a stream of calls", 0.05, streamedCalls],
    ["in a JSON message", 0.15, jsonCall],
    ["around messages", 0.2, envelopeCall],
    ["in headers", 0.15, headerCall],
    ["in ids and names", 0.13, idCall],
  ] as const)("%s", async (_name, share, input) => {
    expect(await fuzz(server, input, share, sendCall)).toBe(
      Math.ceil((inputCount * share) / 100) * 100,
    );
  });

  test.each([
    ["sent as HTTP/1", 0.05, http1Bytes],
    ["sent as HTTP/2", 0.05, http2Bytes],
  ] as const)("%s", async (_name, share, input) => {
    expect(await fuzz(server, input, share, sendBytes)).toBe(
      Math.ceil((inputCount * share) / 100) * 100,
    );
  });
});
