// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

/** What every HTTP/2 connection begins with (RFC 9113, section 3.4). */
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** What a TLS connection begins with: a record of a handshake (RFC 8446, section 5.1). */
const tlsHandshake = 0x16;

/** What the first bytes of a connection are taken for. */
export type FirstProtocol = "http1" | "http2" | "tls";

/**
 * Looks at the first bytes of a connection and tells which protocol it speaks, with all bytes put
 * back. A connection that ends, fails or stays undecided for `timeoutMs` is destroyed and never
 * reported.
 */
export function sniffProtocol(
  socket: Socket,
  timeoutMs: number,
  decided: (protocol: FirstProtocol) => void,
): void {
  let seen: Buffer = Buffer.alloc(0);
  const timer = setTimeout(giveUp, timeoutMs);

  function stop(): void {
    clearTimeout(timer);
    socket.off("readable", onReadable);
    socket.off("error", giveUp);
    socket.off("end", giveUp);
    socket.off("close", stop);
  }

  function giveUp(): void {
    stop();
    socket.on("error", () => {});
    socket.destroy();
  }

  // "readable", not "data": one TCP segment may hold a single byte, and what was read must go back
  // before anybody else listens.
  function onReadable(): void {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) {
      return;
    }
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    if (seen[0] === tlsHandshake) {
      stop();
      socket.unshift(seen);
      decided("tls");
      return;
    }
    const length = Math.min(seen.length, preface.length);
    const same = preface.subarray(0, length).equals(seen.subarray(0, length));
    if (same && length < preface.length) {
      return;
    }
    stop();
    socket.unshift(seen);
    decided(same ? "http2" : "http1");
  }

  socket.on("readable", onReadable);
  socket.on("error", giveUp);
  socket.on("end", giveUp);
  socket.on("close", stop);
}
