// SPDX-License-Identifier: Apache-2.0

import type { YamlDocument } from "../config/yaml-file.js";
import type { ComponentResource, MetadataItem } from "./component-schema.js";
import { isVariableOpen, type SecretStore } from "./secret-store.js";

/** One setting of a component. */
export interface MetadataValue {
  readonly name: string;
  readonly text: string;
  /** From a secret store or a variable: not to be shown. */
  readonly isSecret: boolean;
  /** Where its name stands. */
  readonly namePath: readonly PropertyKey[];
  /** Where its value stands. */
  readonly path: readonly PropertyKey[];
}

/** Finds a secret store by its name. @throws Error with the reason, when there is none that works */
export type FindSecretStore = (name: string) => SecretStore;

/** The settings of a component, or what is wrong with them. */
export interface MetadataValues {
  /** By their names in lower case, as in Dapr. Empty values count as not given. */
  readonly values: ReadonlyMap<string, MetadataValue>;
  readonly problems: readonly string[];
}

/** Reads the metadata of a component; values that are kept elsewhere are fetched. */
export function readMetadata(
  document: YamlDocument,
  { spec, auth }: ComponentResource,
  findStore: FindSecretStore,
): MetadataValues {
  const values = new Map<string, MetadataValue>();
  const problems: string[] = [];
  for (const [index, item] of spec.metadata.entries()) {
    const path = ["spec", "metadata", index];
    const { name } = item;
    if (values.has(name.toLowerCase())) {
      problems.push(document.problem([...path, "name"], `"${name}" is set twice`));
      continue;
    }
    try {
      const { text, place, isSecret } = fetchValue(item, auth?.secretStore, findStore);
      const namePath = [...path, "name"];
      values.set(name.toLowerCase(), { name, text, isSecret, namePath, path: [...path, place] });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const place = item.envRef === undefined ? "secretKeyRef" : "envRef";
      problems.push(document.problem([...path, place], message));
    }
  }
  for (const [key, { text }] of values) {
    if (text === "") values.delete(key);
  }
  return { values, problems };
}

/** @throws Error with the reason, which never has a value */
function fetchValue(
  { value, secretKeyRef, envRef }: MetadataItem,
  storeName: string | undefined,
  findStore: FindSecretStore,
): { text: string; place: string; isSecret: boolean } {
  if (envRef !== undefined) {
    const text = isVariableOpen(envRef) ? process.env[envRef] : undefined;
    if (text === undefined) throw new Error(`there is no environment variable ${envRef}`);
    return { text, place: "envRef", isSecret: true };
  }
  if (secretKeyRef === undefined) {
    return { text: String(value ?? ""), place: "value", isSecret: false };
  }
  if (storeName === undefined) {
    throw new Error("needs auth.secretStore, the name of a secret store component");
  }
  const { name, key = "" } = secretKeyRef;
  const text = findStore(storeName).get(name, key || name);
  if (text === undefined) {
    const part = key === "" || key === name ? "" : ` with the key "${key}"`;
    throw new Error(`the secret store "${storeName}" has no secret "${name}"${part}`);
  }
  return { text, place: "secretKeyRef", isSecret: true };
}
