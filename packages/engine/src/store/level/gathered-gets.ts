// SPDX-License-Identifier: Apache-2.0

/** A key that is asked for. */
interface Wanted {
  readonly key: Uint8Array;
  readonly resolve: (value: Uint8Array | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** What keys are read with. */
export interface KeyReader {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  getMany(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
}

/** Keys of one read, at most: the rest is read beside it. */
const keysAtOnce = 128;

/**
 * Until when keys are gathered. "tick": what one callback asks for. "round": what the event loop finds to do in one
 * round, such as calls that came together, each of which ends in a tick of its own.
 */
export type GatherUntil = "tick" | "round";

/**
 * Reads keys that are asked for in one go together: a hand-over to LevelDB's threads and back costs this
 * thread several times what the reading does. Where one of them cannot be read, each is read by itself.
 */
export class GatheredGets {
  readonly #reader: KeyReader;
  readonly #until: GatherUntil;
  #wanted: Wanted[] = [];

  constructor(reader: KeyReader, until: GatherUntil) {
    this.#reader = reader;
    this.#until = until;
  }

  /** The value of a key, or undefined. @throws what the reader throws */
  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      this.#wanted.push({ key, resolve, reject });
      if (this.#wanted.length === 1) this.#readSoon();
    });
  }

  #readSoon(): void {
    const read = (): void => this.#read();
    if (this.#until === "round") setImmediate(read);
    else process.nextTick(read);
  }

  #read(): void {
    const wanted = this.#wanted;
    this.#wanted = [];
    for (let at = 0; at < wanted.length; at += keysAtOnce) {
      void this.#readTogether(wanted.slice(at, at + keysAtOnce));
    }
  }

  async #readTogether(wanted: readonly Wanted[]): Promise<void> {
    const [only] = wanted;
    if (only !== undefined && wanted.length === 1) return this.#readOne(only);
    try {
      const values = await this.#reader.getMany(wanted.map(({ key }) => key));
      for (const [at, { resolve }] of wanted.entries()) resolve(values[at]);
    } catch {
      await Promise.all(wanted.map((one) => this.#readOne(one)));
    }
  }

  async #readOne({ key, resolve, reject }: Wanted): Promise<void> {
    try {
      resolve(await this.#reader.get(key));
    } catch (error) {
      reject(error);
    }
  }
}
