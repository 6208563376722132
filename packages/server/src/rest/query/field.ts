// SPDX-License-Identifier: Apache-2.0

import type { Comparison } from "@pawl/engine";

/** A field of an instance that filters name. */
export interface Field {
  readonly name: string;
  /** How its values are written in a filter. */
  readonly kind: "text" | "status" | "instant";
  /** What the engine calls it. */
  readonly field: Comparison["field"];
  /** Key of the tag; undefined unless it is one. */
  readonly tag?: string;
}

const fields: readonly Field[] = [
  { name: "id", kind: "text", field: "instanceId" },
  { name: "name", kind: "text", field: "workflow" },
  { name: "status", kind: "status", field: "status" },
  { name: "createdAt", kind: "instant", field: "createdAt" },
  { name: "lastUpdatedAt", kind: "instant", field: "updatedAt" },
  { name: "startTime", kind: "instant", field: "startedAt" },
  { name: "completionTime", kind: "instant", field: "completedAt" },
  { name: "parentInstanceID", kind: "text", field: "parentInstanceId" },
];

/** Names as Dapr's answers have them. */
const otherNames: Readonly<Record<string, string>> = {
  instanceID: "id",
  workflowName: "name",
  runtimeStatus: "status",
};

const metadataPrefix = "metadata.";

/** The field of a key; undefined when there is none. `metadata.KEY` is a tag. */
export function findField(key: string): Field | undefined {
  if (key.startsWith(metadataPrefix) && key.length > metadataPrefix.length) {
    return { name: key, kind: "text", field: "tag", tag: key.slice(metadataPrefix.length) };
  }
  const name = otherNames[key] ?? key;
  return fields.find((field) => field.name === name);
}

/** Keys that a filter may name. */
export const fieldNames: readonly string[] = [
  ...fields.map(({ name }) => name),
  ...Object.keys(otherNames),
  "metadata.KEY",
];
