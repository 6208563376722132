// SPDX-License-Identifier: Apache-2.0

import type { ServerHttp2Session } from "node:http2";
import type { ListenLimits } from "./limit/listen-limits.js";
import { replaceStreamTable } from "./session-streams.js";

/** Pings that a peer may leave unanswered before its connection is given up. */
const missedPings = 2;

/** Bytes that a peer may send on one connection before it waits for us to read. */
const sessionWindowBytes = 4 * 1024 * 1024;

/** How long connections live without signs of life, and without calls. */
export type SessionLimits = Pick<ListenLimits, "pingIntervalMs" | "idleTimeoutMs">;

/**
 * The open HTTP/2 connections. Each is pinged, so that a worker whose machine has vanished is found
 * out and its work items go to others.
 */
export class Sessions {
  readonly #open = new Set<ServerHttp2Session>();
  readonly #limits: SessionLimits;
  #closing = false;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  /** Takes a new connection. */
  add(session: ServerHttp2Session): void {
    this.#open.add(session);
    replaceStreamTable(session);
    session.setLocalWindowSize(sessionWindowBytes);
    const stopPings = this.#keepPinging(session);
    const stopWaiting = this.#closeWhenIdle(session);
    session.once("close", () => {
      stopPings();
      stopWaiting();
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

  /** A connection on which nothing was asked for long is given back; its client opens another. */
  #closeWhenIdle(session: ServerHttp2Session): () => void {
    const { idleTimeoutMs } = this.#limits;
    let open = 0;
    let idleSinceMs = performance.now();
    const closed = (): void => {
      open -= 1;
      idleSinceMs = performance.now();
    };
    session.on("stream", (stream) => {
      open += 1;
      stream.on("close", closed);
    });
    const timer = setInterval(() => {
      if (open === 0 && performance.now() - idleSinceMs >= idleTimeoutMs) {
        session.close();
      }
    }, idleTimeoutMs / 2);
    timer.unref();
    return () => clearInterval(timer);
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
    }, this.#limits.pingIntervalMs);
    timer.unref();
    return () => clearInterval(timer);
  }
}
