// SPDX-License-Identifier: Apache-2.0

/** How many there are of each name; names of which there are none take no memory. */
export class Tally {
  readonly #counts = new Map<string, number>();
  #total = 0;

  /** All of them. */
  get total(): number {
    return this.#total;
  }

  /** How many there are of a name. */
  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** One more. */
  add(name: string): void {
    this.#total += 1;
    this.#counts.set(name, this.of(name) + 1);
  }

  /** One less. */
  remove(name: string): void {
    this.#total -= 1;
    const left = this.of(name) - 1;
    if (left === 0) this.#counts.delete(name);
    else this.#counts.set(name, left);
  }
}
