// SPDX-License-Identifier: Apache-2.0

import type { AnyActivity, AnyWorkflow } from "../authoring.js";
import { PawlError } from "../errors.js";

/** The definitions that a worker runs, by name. */
export interface Registry {
  readonly workflows: ReadonlyMap<string, AnyWorkflow>;
  readonly activities: ReadonlyMap<string, AnyActivity>;
}

/**
 * Indexes definitions by name.
 * @throws INVALID_ARGUMENT when two have the same name
 */
export function createRegistry(
  workflows: readonly AnyWorkflow[],
  activities: readonly AnyActivity[],
): Registry {
  return { workflows: byName(workflows), activities: byName(activities) };
}

function byName<D extends { readonly kind: string; readonly name: string }>(
  definitions: readonly D[],
): Map<string, D> {
  const index = new Map<string, D>();
  for (const definition of definitions) {
    if (index.has(definition.name)) {
      throw new PawlError(
        "INVALID_ARGUMENT",
        `two definitions of ${definition.kind} "${definition.name}"`,
      );
    }
    index.set(definition.name, definition);
  }
  return index;
}
