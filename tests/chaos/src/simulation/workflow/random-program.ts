// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../random.ts";
import type { Scope } from "./actions.ts";
import type { Child, Program, Step } from "./program.ts";

type StepKind = Step["do"];

/** Steps that need workers, or servers, of some kinds. */
export type SpecialStep = "loose" | "ghost" | "patch" | "version";

/** Makes programs that nobody has made before: every key in them is used once. */
export class ProgramMaker {
  readonly #random: Random;
  readonly #more: readonly StepKind[];
  readonly #handsOn: boolean;
  #keys = 0;

  /** `more`: steps that may be asked for besides; `handsOn`: histories are handed on. */
  constructor(random: Random, more: readonly SpecialStep[], handsOn: boolean) {
    this.#random = random;
    this.#more = more;
    this.#handsOn = handsOn;
  }

  /** Text that nothing else has. */
  key(): string {
    this.#keys += 1;
    return `k${this.#keys}`;
  }

  /** Activities, timers, children of its own: what comes of it depends on nothing else. */
  pure(depth = 1): Program {
    return this.#steps(3, () => {
      const kind = this.#random.pick<{ kind: StepKind; weight: number }>([
        { kind: "activity", weight: 5 },
        { kind: "fan", weight: 2 },
        { kind: "nap", weight: 2 },
        { kind: "status", weight: 1 },
        { kind: "renew", weight: 1 },
        { kind: "children", weight: depth > 0 ? 2 : 0 },
        ...this.#more.map((kind) => ({ kind, weight: kind === "loose" ? 1.5 : 4 })),
      ]).kind;
      return this.#step(kind, () => ({
        id: "",
        program: this.pure(depth - 1),
        given: this.#given(),
      }));
    });
  }

  /** Anything, on ids that others use, too. */
  wild(ids: readonly string[], depth = 1): Program {
    const child = () => ({
      id: this.#random.chance(0.3) ? "" : this.#id(ids),
      program: this.wild(ids, depth - 1),
      given: this.#given(),
    });
    return this.#steps(4, () => {
      const kind = this.#random.pick<{ kind: StepKind; weight: number }>([
        { kind: "activity", weight: 4 },
        { kind: "fan", weight: 1 },
        { kind: "nap", weight: 2 },
        { kind: "wait", weight: 3 },
        { kind: "renew", weight: 1 },
        { kind: "fail", weight: 0.3 },
        { kind: "send", weight: 1 },
        { kind: "kill", weight: 0.5 },
        { kind: "children", weight: depth > 0 ? 2 : 0 },
        { kind: "detach", weight: depth > 0 ? 1 : 0 },
        ...this.#more.map((kind) => ({ kind, weight: kind === "loose" ? 1.5 : 4 })),
      ]).kind;
      if (kind === "send") {
        return { do: "send", id: this.#id(ids), event: this.#event(), text: `~${this.key()}~` };
      }
      if (kind === "kill") return { do: "kill", id: this.#id(ids) };
      return this.#step(kind, child);
    });
  }

  #given(): Scope | undefined {
    if (!this.#handsOn || this.#random.chance(0.4)) return undefined;
    return this.#random.chance(0.5) ? "own" : "lineage";
  }

  #step(kind: StepKind, child: () => Child): Step {
    const random = this.#random;
    switch (kind) {
      case "fan":
        return { do: "fan", keys: Array.from({ length: random.integer(2, 4) }, () => this.key()) };
      case "nap":
        return { do: "nap", ms: random.chance(0.1) ? 90_000 : random.integer(0, 400) };
      case "loose":
      case "ghost":
      case "patch":
      case "version":
        return { do: kind, key: this.key() };
      case "status":
        return { do: "status", text: this.key() };
      case "wait":
        return { do: "wait", event: this.#event(), ms: random.integer(10, 2000) };
      case "children":
        return { do: "children", children: Array.from({ length: random.integer(1, 2) }, child) };
      case "detach":
        return { do: "detach", program: child().program, id: this.key() };
      case "renew":
      case "fail":
        return { do: kind };
      default: {
        const failures = random.chance(0.2) ? random.integer(1, 2) : 0;
        return { do: "activity", key: this.key(), failures, given: this.#given() };
      }
    }
  }

  #steps(most: number, make: () => Step): Program {
    return Array.from({ length: this.#random.integer(1, most) }, make);
  }

  #id(ids: readonly string[]): string {
    return ids[this.#random.integer(0, ids.length - 1)] ?? "";
  }

  #event(): string {
    return this.#random.chance(0.5) ? "one" : "two";
  }
}
