// SPDX-License-Identifier: Apache-2.0

import type { ServerHttp2Session } from "node:http2";

/** Pings that a peer may leave unanswered before its connection is given up. */
const missedPings = 2;

/** Bytes that a peer may send on one connection before it waits for us to read. */
const sessionWindowBytes = 4 * 1024 * 1024;

/**
 * The open HTTP/2 connections. Each is pinged, so that a worker whose machine has vanished is found
 * out and its work items go to others.
 */
export class Sessions {
  readonly #open = new Set<ServerHttp2Session>();
  readonly #pingIntervalMs: number;
  #closing = false;

  constructor(pingIntervalMs: number) {
    this.#pingIntervalMs = pingIntervalMs;
  }

  /** Takes a new connection. */
  add(session: ServerHttp2Session): void {
    this.#open.add(session);
    session.setLocalWindowSize(sessionWindowBytes);
    const stopPings = this.#keepPinging(session);
    session.once("close", () => {
      stopPings();
      this.#open.delete(session);
    });
    if (this.#closing) {
      session.close();
    }
  }

  /** Tells every peer to open no more streams (GOAWAY); each connection closes after its last. */
  close(): void {
    this.#closing = true;
    for (const session of this.#open) {
      session.close();
    }
  }

  #keepPinging(session: ServerHttp2Session): () => void {
    let unanswered = 0;
    const timer = setInterval(() => {
      // A session is destroyed some time before it closes, and cannot be pinged in between.
      if (session.destroyed) {
        return;
      }
      if (unanswered >= missedPings) {
        session.destroy();
        return;
      }
      unanswered += 1;
      session.ping((error) => {
        if (error === null) {
          unanswered = 0;
        }
      });
    }, this.#pingIntervalMs);
    timer.unref();
    return () => clearInterval(timer);
  }
}
