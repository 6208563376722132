// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { Code } from "@connectrpc/connect";
import { limits } from "@pawl/protocol";
import { afterEach, expect, test } from "vitest";
import { startServer } from "./test-server.js";

const sessions: ClientHttp2Session[] = [];

afterEach(() => {
  for (const session of sessions.splice(0)) {
    session.destroy();
  }
});

// A service's answer that came before the whole request: the caller would else wait for ever to send
// the rest, since nobody reads it.
test.each(["StartInstance", "WatchInstance"])(
  "tells a caller of %s to stop sending",
  async (method) => {
    const session = connect((await startServer()).url);
    sessions.push(session);
    const call = session.request({
      ":method": "POST",
      ":path": `/pawl.v1.WorkflowService/${method}`,
      "content-type": "application/grpc",
      te: "trailers",
    });
    let code: unknown;
    call.on("response", (headers) => {
      code = headers["grpc-status"];
    });
    call.on("trailers", (trailers) => {
      code = trailers["grpc-status"];
    });
    const envelope = Buffer.alloc(5 + 2 * limits.requestBytes);
    envelope.writeUInt32BE(limits.requestBytes + 1, 1);
    call.write(envelope);
    call.resume();

    await once(call, "close");

    expect(Number(code)).toBe(Code.ResourceExhausted);
    expect(call.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  },
);
