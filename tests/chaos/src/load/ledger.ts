// SPDX-License-Identifier: Apache-2.0

/** What callers know of one number that a sender raised at an instance. */
export interface SentItem {
  readonly n: number;
  /** Calls made. One that broke may have been carried out or not. */
  attempts: number;
  /** The last of the calls was answered. */
  acknowledged: boolean;
}

/** One sender of events to one instance; it sends the next number once the last was answered. */
export interface Sender {
  readonly sender: string;
  readonly sent: SentItem[];
}

/** What an instance must come to, unless it is terminated. */
export type Expected =
  | { readonly kind: "output"; readonly output: unknown }
  /** A list of the senders' items. */
  | { readonly kind: "items"; readonly senders: readonly Sender[] }
  /** It never ends by itself. */
  | { readonly kind: "none" };

/** How far a caller came with a command. */
export type Asked = "no" | "asked" | "acknowledged";

/** What callers know of one instance. */
export interface Entry {
  readonly instanceId: string;
  readonly workflow: string;
  /** JSON text. */
  readonly input: string;
  readonly expected: Expected;
  /** For a child: "asked", until its parent's history says more. */
  start: Asked;
  terminate: Asked;
  purge: Asked;
  readonly children: readonly Entry[];
}

/** What makes an entry. */
export interface EntryFacts {
  readonly instanceId: string;
  readonly workflow: string;
  readonly input: unknown;
  readonly expected: Expected;
  readonly children?: readonly Entry[];
}

/** An instance that ended, as a caller was told. */
export interface SeenEnd {
  readonly entry: Entry;
  readonly status: string;
  readonly output: unknown;
  readonly executionId: string;
  readonly completedAt: number | undefined;
}

/** Makes the entry of an instance that nobody has asked for yet. */
export function createEntry(facts: EntryFacts): Entry {
  return {
    instanceId: facts.instanceId,
    workflow: facts.workflow,
    input: JSON.stringify(facts.input),
    expected: facts.expected,
    start: "no",
    terminate: "no",
    purge: "no",
    children: facts.children ?? [],
  };
}

/** What was acknowledged to the callers, kept outside of what is killed. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  /** Ends that callers were told of. */
  readonly ends: SeenEnd[] = [];
  /** Answers that no caller should ever get. */
  readonly wrongAnswers: string[] = [];
  /** Calls that were answered, and those that broke. */
  readonly calls = { answered: 0, broken: 0 };
  readonly #onAnswer: (() => void)[] = [];

  /** Adds an instance and its children; an earlier one of the same id is replaced. */
  add(entry: Entry): Entry {
    this.#entries.set(entry.instanceId, entry);
    for (const child of entry.children) this.add(child);
    return entry;
  }

  /** Counts a call that was answered. */
  noteAnswer(): void {
    this.calls.answered += 1;
    for (const listener of this.#onAnswer.splice(0)) listener();
  }

  /** Resolves at the next answer. */
  nextAnswer(): Promise<void> {
    return new Promise((resolve) => this.#onAnswer.push(resolve));
  }

  /** All instances, children included. */
  entries(): ReadonlyMap<string, Entry> {
    return this.#entries;
  }
}

/** An instance and all below it. */
export function withDescendants(entry: Entry): Entry[] {
  return [entry, ...entry.children.flatMap(withDescendants)];
}
