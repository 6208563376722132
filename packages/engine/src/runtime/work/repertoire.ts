// SPDX-License-Identifier: Apache-2.0

/** What a name is registered for. */
export type NameKind = "workflow" | "activity";

/** Names that are remembered of one worker, of each kind. */
const namesLimit = 10_000;

/** What a worker has shown by its answers to have and to lack. */
export class Repertoire {
  readonly #had = { workflow: new Set<string>(), activity: new Set<string>() };
  readonly #lacking = { workflow: new Set<string>(), activity: new Set<string>() };

  /** It has run this. */
  show(kind: NameKind, name: string): void {
    const lacking = this.#lacking[kind];
    if (lacking.size > 0) lacking.delete(name);
    const had = this.#had[kind];
    if (had.size < namesLimit) had.add(name);
  }

  /** It has said that nothing of this name is registered with it. True when that is news. */
  deny(kind: NameKind, name: string): boolean {
    this.#had[kind].delete(name);
    const lacking = this.#lacking[kind];
    if (lacking.has(name) || lacking.size >= namesLimit) return false;
    lacking.add(name);
    return true;
  }

  /** True when it has denied the name, and not run it since. */
  lacks(kind: NameKind, name: string): boolean {
    return this.#lacking[kind].has(name);
  }

  /** True when it has run this. */
  has(kind: NameKind, name: string): boolean {
    return this.#had[kind].has(name);
  }

  /** What it has run. */
  names(kind: NameKind): ReadonlySet<string> {
    return this.#had[kind];
  }
}
