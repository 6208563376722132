// SPDX-License-Identifier: Apache-2.0

import { connect } from "node:net";

/** Milliseconds after which a connection whose peer has hung up counts as hung. */
const hangMs = 60_000;

/**
 * Sends bytes on a connection of their own, hangs up, and resolves with what came back when the server
 * has hung up as well. Rejects when it does not.
 */
export function sendRaw(host: string, port: number, bytes: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`a connection stayed open for ${hangMs} ms`));
    }, hangMs);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    // The server may reset a connection of which it has seen enough.
    socket.on("error", () => {});
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks));
    });
    socket.end(bytes);
  });
}
