// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import type { ServerLogger } from "../src/index.js";

const folders: string[] = [];

afterEach(async () => {
  await Promise.all(
    folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })),
  );
});

/** A folder of a test's own. Deleted after the test. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pawl-components-"));
  folders.push(folder);
  return folder;
}

/** The text of a workflow component's file. */
export function componentYaml(
  name: string,
  settings: Readonly<Record<string, string>> = {},
): string {
  const metadata = Object.entries(settings).map(
    ([key, value]) => `    - name: ${key}\n      value: ${JSON.stringify(value)}\n`,
  );
  return [
    "apiVersion: dapr.io/v1alpha1\n",
    "kind: Component\n",
    "metadata:\n",
    `  name: ${name}\n`,
    "spec:\n",
    "  type: workflow.dapr\n",
    "  version: v1\n",
    ...(metadata.length === 0 ? [] : ["  metadata:\n", ...metadata]),
  ].join("");
}

/** Puts a file into a folder, whole, as nobody may see half of it. */
export async function writeYaml(folder: string, name: string, text: string): Promise<void> {
  const file = join(folder, name);
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

/** A log that is kept, and can be waited for. */
export class KeptLog {
  readonly lines: string[] = [];
  readonly #waiting = new Set<() => void>();

  /** What a server takes. */
  readonly logger: ServerLogger = {
    debug: () => {},
    info: (facts, message) => this.#add("info", facts, message),
    warn: (facts, message) => this.#add("warn", facts, message),
    error: (facts, message) => this.#add("error", facts, message),
  };

  /** Resolves with the first line that has this text; looks at those that are there first. */
  async line(text: string): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => line.includes(text));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #add(level: string, facts: Readonly<Record<string, unknown>>, message: string): void {
    this.lines.push(`${level} ${message} ${JSON.stringify(facts)}`);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
