// SPDX-License-Identifier: Apache-2.0

import type { HistoryEvent } from "@pawl/protocol";
import type { AnyWorkflow } from "../authoring.js";
import { PawlError } from "../errors.js";

/**
 * The definitions of one workflow: one for each version, and one without. An execution stays with the
 * version that it began with (engine semantics 10.1).
 */
export class WorkflowVersions {
  readonly #name: string;
  readonly #byVersion = new Map<string, AnyWorkflow>();
  readonly #latest: AnyWorkflow | undefined;
  #plain: AnyWorkflow | undefined;

  /** @throws INVALID_ARGUMENT when two have the same version, or it is not said which is the latest */
  constructor(name: string, definitions: readonly AnyWorkflow[]) {
    this.#name = name;
    for (const definition of definitions) this.#add(definition);
    this.#latest = this.#findLatest();
  }

  /**
   * The definition for an execution with this history; undefined: this worker cannot go on with it.
   * A new one gets the latest version; one that began without a version the definition without, where
   * there is one.
   */
  choose(past: readonly HistoryEvent[]): AnyWorkflow | undefined {
    let hasBegun = false;
    for (const { eventType } of past) {
      if (eventType.case !== "workflowStarted") continue;
      hasBegun = true;
      const version = eventType.value.version?.name;
      if (version) return this.#byVersion.get(version);
    }
    return hasBegun ? (this.#plain ?? this.#latest) : this.#forNew();
  }

  /** One version of which it is said that it is not the latest is for executions that have it. */
  #forNew(): AnyWorkflow | undefined {
    return this.#latest ?? (this.#byVersion.size === 0 ? this.#plain : undefined);
  }

  #add(definition: AnyWorkflow): void {
    const { version } = definition;
    const isTaken =
      version === undefined ? this.#plain !== undefined : this.#byVersion.has(version);
    if (isTaken) {
      const which = version === undefined ? "" : `, version "${version}"`;
      throw invalid(`two definitions of workflow "${this.#name}"${which}`);
    }
    if (version === undefined) this.#plain = definition;
    else this.#byVersion.set(version, definition);
  }

  #findLatest(): AnyWorkflow | undefined {
    const all = [...this.#byVersion.values()];
    const flagged = all.filter(({ latest }) => latest === true);
    if (flagged.length > 1) {
      throw invalid(`two versions of workflow "${this.#name}" are said to be the latest`);
    }
    const [first] = flagged;
    if (first !== undefined) return first;
    const candidates = all.filter(({ latest }) => latest === undefined);
    if (candidates.length > 0 && all.length > 1) {
      throw invalid(
        `say which version of workflow "${this.#name}" is the latest: { latest: true }`,
      );
    }
    return candidates[0];
  }
}

function invalid(message: string): PawlError {
  return new PawlError("INVALID_ARGUMENT", message);
}
