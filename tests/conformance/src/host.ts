// SPDX-License-Identifier: Apache-2.0

// All servers of a run of the conformance suite, in one process, so that each is there at once: the runner
// gives a server ten seconds to start, which may not be enough for a new process on a busy machine. Its
// command is `relay.mjs`, which connects to this: a ServerCompatRequest comes, the ServerCompatResponse
// says where its server is, and that serves until the connection ends.

import { createServer, type Socket } from "node:net";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { readDelimited, toDelimited } from "./delimited.ts";
import {
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from "./gen/connectrpc/conformance/v1/server_compat_pb.js";
import { startServer } from "./server.ts";

const host = createServer((socket) => {
  // A relay is killed when its server is no longer needed.
  socket.on("error", () => {});
  void serve(socket);
});
host.listen(0, "127.0.0.1", () => {
  const address = host.address();
  process.send?.(typeof address === "object" ? address?.port : undefined);
});
process.on("disconnect", () => process.exit());

async function serve(socket: Socket): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const request = fromBinary(ServerCompatRequestSchema, await readDelimited(socket));
  const server = await startServer(request);
  const pemCert = request.serverCreds?.cert ?? new Uint8Array();
  const response = create(ServerCompatResponseSchema, { ...server.address, pemCert });
  socket.write(toDelimited(toBinary(ServerCompatResponseSchema, response)));
  socket.resume();
  await closed;
  await server.close();
}
