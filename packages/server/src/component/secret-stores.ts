// SPDX-License-Identifier: Apache-2.0

import type { ReadComponent } from "./component-files.js";
import { type MetadataValues, readMetadata } from "./metadata-values.js";
import {
  openEnvironment,
  openSecretsFile,
  type SecretStore,
  type SecretStoreSettings,
  secretStoreFields,
  secretStoreTypes,
} from "./secret-store.js";

/** The secret stores that files ask for. */
export interface OpenedSecretStores {
  /** @throws Error with the reason, when there is no such store */
  find(name: string): SecretStore;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  /** Files that were read, or should have been. */
  readonly files: readonly string[];
}

/** Opens every secret store; what cannot be opened is a problem. */
export async function openSecretStores(
  components: readonly ReadComponent[],
): Promise<OpenedSecretStores> {
  const stores = new Map<string, SecretStore>();
  const problems: string[] = [];
  const warnings: string[] = [];
  const files: string[] = [];
  for (const { document, resource } of components) {
    const type = secretStoreTypes.find((known) => known === resource.spec.type);
    if (type === undefined) {
      const message = `${resource.spec.type} is not a type that Pawl has: ${secretStoreTypes.join(" and ")} are`;
      problems.push(document.problem(["spec", "type"], message));
      continue;
    }
    const read = readMetadata(document, resource, noStore);
    problems.push(...read.problems);
    const settings = toTexts(read);
    for (const [key, { name, namePath }] of read.values) {
      if (!secretStoreFields[type].some((field) => field.toLowerCase() === key)) {
        warnings.push(document.problem(namePath, `${type} has no setting "${name}"`));
      }
    }
    if (type === "secretstores.local.env") {
      stores.set(resource.metadata.name, openEnvironment(settings));
      continue;
    }
    const file = read.values.get("secretsfile");
    if (file === undefined) {
      problems.push(document.problem(["spec", "metadata"], `${type} needs secretsFile`));
      continue;
    }
    files.push(file.text);
    try {
      stores.set(resource.metadata.name, await openSecretsFile(file.text, settings));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      problems.push(document.problem(file.path, message));
    }
  }
  const names = new Set(components.map(({ resource }) => resource.metadata.name));
  const find = (name: string): SecretStore => {
    const store = stores.get(name);
    if (store !== undefined) return store;
    const fault = names.has(name) ? "has mistakes" : "is not there";
    throw new Error(`the secret store component "${name}" ${fault}`);
  };
  return { find, problems, warnings, files };
}

function noStore(): never {
  throw new Error("a secret store's own settings cannot come from a secret store");
}

function toTexts({ values }: MetadataValues): SecretStoreSettings {
  return new Map([...values].map(([key, { text }]) => [key, text]));
}
