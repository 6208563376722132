// SPDX-License-Identifier: Apache-2.0

/** What callers asked of an instance, and what of it was acknowledged. */
export interface Facts {
  readonly instanceId: string;
  start: "asked" | "acknowledged";
  /** Items are raised one after the other, from 1: the last that was asked, and acknowledged. */
  raised: { asked: number; acknowledged: number };
  terminate: "no" | "asked" | "acknowledged";
  purge: "no" | "asked" | "acknowledged";
  /** JSON text of the output that a caller was told. */
  output: string | undefined;
}

/** One thing that happened, in the order in which callers saw it. */
export type Note =
  | {
      readonly what: "asked" | "acknowledged";
      readonly verb: "start" | "terminate" | "purge";
      readonly id: string;
    }
  | {
      readonly what: "asked" | "acknowledged";
      readonly verb: "raise";
      readonly id: string;
      readonly n: number;
    }
  | { readonly what: "ended"; readonly id: string; readonly output: string };

/** What callers know, from the notes so far. */
export class Book {
  readonly #facts = new Map<string, Facts>();

  /** Takes a note. */
  add(note: Note): void {
    const facts = this.#of(note.id);
    if (note.what === "ended") facts.output = note.output;
    else if (note.verb === "raise") facts.raised[note.what] = note.n;
    else if (note.verb === "start") facts.start = note.what;
    else facts[note.verb] = note.what;
  }

  /** All instances that were asked for. */
  all(): readonly Facts[] {
    return [...this.#facts.values()];
  }

  #of(instanceId: string): Facts {
    const known = this.#facts.get(instanceId);
    if (known !== undefined) return known;
    const facts: Facts = {
      instanceId,
      start: "asked",
      raised: { asked: 0, acknowledged: 0 },
      terminate: "no",
      purge: "no",
      output: undefined,
    };
    this.#facts.set(instanceId, facts);
    return facts;
  }
}
