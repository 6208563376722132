// SPDX-License-Identifier: Apache-2.0

import type { AnyActivity, AnyWorkflow } from "../authoring.js";
import { PawlError } from "../errors.js";
import { WorkflowVersions } from "./workflow-versions.js";

/** The definitions that a worker runs, by name. */
export interface Registry {
  readonly workflows: ReadonlyMap<string, WorkflowVersions>;
  readonly activities: ReadonlyMap<string, AnyActivity>;
}

/**
 * Indexes definitions by name.
 * @throws INVALID_ARGUMENT when two are of one name, or of one version of a workflow, or when it is not
 * said which version is the latest
 */
export function createRegistry(
  workflows: readonly AnyWorkflow[],
  activities: readonly AnyActivity[],
): Registry {
  const names = new Set(workflows.map(({ name }) => name));
  const versions = [...names].map((name) => {
    const definitions = workflows.filter((definition) => definition.name === name);
    return [name, new WorkflowVersions(name, definitions)] as const;
  });
  return { workflows: new Map(versions), activities: byName(activities) };
}

function byName(definitions: readonly AnyActivity[]): Map<string, AnyActivity> {
  const index = new Map<string, AnyActivity>();
  for (const definition of definitions) {
    const { name } = definition;
    if (index.has(name)) {
      throw new PawlError("INVALID_ARGUMENT", `two definitions of activity "${name}"`);
    }
    index.set(name, definition);
  }
  return index;
}
