// SPDX-License-Identifier: Apache-2.0

import { readFile } from "node:fs/promises";

/** Where the secrets of component files come from. */
export interface SecretStore {
  /** The value of a key of a secret; undefined: there is none. */
  get(name: string, key: string): string | undefined;
}

/** Types of Dapr's secret stores that work on one machine by themselves. */
export const secretStoreTypes = ["secretstores.local.env", "secretstores.local.file"] as const;

/** Settings of a secret store by their names in lower case. */
export type SecretStoreSettings = ReadonlyMap<string, string>;

/** What the types know; others are not used. */
export const secretStoreFields: Readonly<Record<(typeof secretStoreTypes)[number], string[]>> = {
  "secretstores.local.env": ["prefix"],
  "secretstores.local.file": ["secretsFile", "nestedSeparator", "multiValued"],
};

/** Whether files may read this variable: Dapr keeps its own, and its tokens, to itself. */
export function isVariableOpen(name: string): boolean {
  return !/^(APP_API_TOKEN$|DAPR_)/i.test(name);
}

/** Environment variables, perhaps with a prefix before their names. A secret has one key: its name. */
export function openEnvironment(settings: SecretStoreSettings): SecretStore {
  const prefix = settings.get("prefix") ?? "";
  return {
    get(name, key) {
      const variable = prefix + name;
      return key === name && isVariableOpen(variable) ? process.env[variable] : undefined;
    },
  };
}

/**
 * A JSON file. As in Dapr, what is nested is named by its path ("redis:password"); with `multiValued`
 * the outermost names are secrets of several keys.
 * Rejects with a reason that has nothing of what is in the file.
 */
export async function openSecretsFile(
  file: string,
  settings: SecretStoreSettings,
): Promise<SecretStore> {
  const separator = settings.get("nestedseparator") || ":";
  const content = await readSecrets(file);
  if (settings.get("multivalued")?.toLowerCase() !== "true") {
    const values = flatten(content, separator);
    return { get: (name, key) => (key === name ? values.get(name) : undefined) };
  }
  const secrets = new Map(
    Object.entries(content).map(([name, value]) => [
      name,
      typeof value === "string" ? new Map([[name, value]]) : flatten(value, separator),
    ]),
  );
  return { get: (name, key) => secrets.get(name)?.get(key) };
}

async function readSecrets(file: string): Promise<object> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new Error(`cannot read ${file}: ${error instanceof Error ? error.message : error}`);
  }
  const content = parseJson(text);
  if (typeof content === "object" && content !== null && !Array.isArray(content)) return content;
  throw new Error(`${file} is not a JSON object`);
}

/** What is said of text that is no JSON would show some of it. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function flatten(value: unknown, separator: string): Map<string, string> {
  const values = new Map<string, string>();
  const visit = (part: unknown, path: readonly string[]): void => {
    if (typeof part === "object" && part !== null) {
      for (const [key, inner] of Object.entries(part)) visit(inner, [...path, key]);
    } else {
      values.set(path.join(separator), String(part));
    }
  };
  visit(value, []);
  return values;
}
