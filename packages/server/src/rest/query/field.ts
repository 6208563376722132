// SPDX-License-Identifier: Apache-2.0

import type { Instance } from "@pawl/engine";

/** What a filter compares. Instants are milliseconds since 1970. */
export type FieldValue = string | number | undefined;

/** A field of an instance that filters name. */
export interface Field {
  readonly name: string;
  /** How its values are written in a filter. */
  readonly kind: "text" | "status" | "instant";
  read(instance: Instance): FieldValue;
}

const fields: readonly Field[] = [
  { name: "id", kind: "text", read: (one) => one.instanceId },
  { name: "name", kind: "text", read: (one) => one.workflow },
  { name: "status", kind: "status", read: (one) => one.status },
  { name: "createdAt", kind: "instant", read: (one) => one.createdAt },
  { name: "lastUpdatedAt", kind: "instant", read: (one) => one.updatedAt },
  { name: "startTime", kind: "instant", read: (one) => one.startedAt },
  { name: "completionTime", kind: "instant", read: (one) => one.completedAt },
  { name: "parentInstanceID", kind: "text", read: (one) => one.parentInstanceId },
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
    const tag = key.slice(metadataPrefix.length);
    return { name: key, kind: "text", read: ({ tags }) => tags[tag] };
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

/** The tag of a field; undefined when it is none. */
export function tagOf({ name }: Field): string | undefined {
  return name.startsWith(metadataPrefix) ? name.slice(metadataPrefix.length) : undefined;
}
