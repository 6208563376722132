// SPDX-License-Identifier: Apache-2.0

/** Lines with the seconds since the start. */
export class Progress {
  readonly #startedAt = performance.now();
  readonly #tell: (line: string) => void;

  constructor(tell: (line: string) => void = () => {}) {
    this.#tell = tell;
  }

  /** Seconds since the start. */
  get seconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  /** Tells how it goes. */
  say(line: string): void {
    this.#tell(`${this.seconds.toFixed(0).padStart(5)} s  ${line}`);
  }
}
