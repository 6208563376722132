// SPDX-License-Identifier: Apache-2.0

// JavaScript with its types beside it: it is used from sources and from what is compiled, and is neither.

import { once } from "node:events";
import { createServer } from "node:net";

export async function findFreePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

export async function findFreePorts() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const other = await findFreePort();
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return [port, other];
}
