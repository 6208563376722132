// SPDX-License-Identifier: Apache-2.0

// JavaScript with its types beside it: it is used from sources and from what is compiled, and is neither.

import { once } from "node:events";
import { createServer } from "node:net";

/** Below the ports that systems give to whoever asks for any: no connection takes one meanwhile. */
const [firstPort, portCount] = [16_384, 16_384];
/** Each process looks from a place of its own, and looks nowhere twice. */
let next = (process.pid % 128) * 128;

export async function findFreePort() {
  for (let tried = 0; tried < portCount; tried += 1) {
    const port = firstPort + (next % portCount);
    next += 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`no port from ${firstPort} to ${firstPort + portCount - 1} is free`);
}

export async function findFreePorts() {
  return [await findFreePort(), await findFreePort()];
}

async function isFree(port) {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
