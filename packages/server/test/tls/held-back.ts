// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";
import { Duplex } from "node:stream";

/** A connection under TLS whose traffic can be held back. */
export class HeldBack extends Duplex {
  readonly #tcp: Socket;
  #held: Buffer[] | undefined;

  constructor(tcp: Socket) {
    super();
    this.#tcp = tcp;
    tcp.on("data", (chunk) => void this.push(chunk));
    tcp.on("end", () => void this.push(null));
    tcp.on("error", (error) => this.destroy(error));
  }

  /** Reads nothing more, and keeps what is written. */
  hold(): void {
    this.#tcp.pause();
    this.#held = [];
  }

  /** Sends what was kept, all of it at once, and reads on. */
  release(): void {
    this.#tcp.write(Buffer.concat(this.#held ?? []));
    this.#held = undefined;
    this.#tcp.resume();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#held === undefined) {
      this.#tcp.write(chunk);
    } else {
      this.#held.push(chunk);
    }
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#tcp.destroy();
    done(error);
  }
}
