// SPDX-License-Identifier: Apache-2.0

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError, isEngineError } from "@pawl/engine";
import { invalidFile, parseYamlDocuments, type YamlDocument } from "../config/yaml-file.js";
import {
  type ComponentResource,
  componentHead,
  componentSchema,
  resourceHead,
} from "./component-schema.js";
import {
  type ComponentSettings,
  readSettings,
  settingNames,
  workflowType,
} from "./component-settings.js";
import { readMetadata } from "./metadata-values.js";
import { type OpenedSecretStores, openSecretStores } from "./secret-stores.js";

/** A workflow component that a file asks for. */
export interface ComponentSpec {
  readonly name: string;
  readonly type: string;
  readonly version: string;
  /** The file and line that name it. */
  readonly place: string;
  /** Serve all else when it cannot be opened. */
  readonly ignoreErrors: boolean;
  readonly settings: ComponentSettings;
}

/** What the files of a folder of components say. */
export interface ComponentFiles {
  readonly components: readonly ComponentSpec[];
  /** Whether there is a folder at all, in which there may be more at any time. */
  readonly hasFolder: boolean;
  /** Names of components that are not for this server. */
  readonly withheld: readonly string[];
  /** Names of components that have mistakes, which their files say to ignore. */
  readonly faulty: readonly string[];
  /** What people should know, one line each. */
  readonly warnings: readonly string[];
  /** Files of secrets. */
  readonly secretFiles: readonly string[];
}

/** A document of a component, with what its file says. */
export interface ReadComponent {
  readonly document: YamlDocument;
  readonly resource: ComponentResource;
}

/** The YAML files of folders, in the order of their names. */
export async function listComponentFiles(folders: readonly string[]): Promise<string[]> {
  const listed = await Promise.all(
    folders.map(async (folder) => {
      const entries = await readdir(folder, { withFileTypes: true });
      return entries
        .filter((entry) => !entry.isDirectory() && /\.ya?ml$/i.test(entry.name))
        .map(({ name }) => name)
        .sort()
        .map((name) => join(folder, name));
    }),
  );
  return listed.flat();
}

/**
 * Reads every component of some folders.
 * @param appId this server, to whose `scopes` it belongs
 * @throws INVALID_ARGUMENT with file, line and field of each problem, all in one line
 */
export async function readComponentFiles(
  folders: readonly string[],
  appId: string,
): Promise<ComponentFiles> {
  const reader = new Reader(appId);
  for (const file of await listFiles(folders)) await reader.read(file);
  return { ...(await reader.end()), hasFolder: folders.length > 0 };
}

async function listFiles(folders: readonly string[]): Promise<string[]> {
  try {
    return await listComponentFiles(folders);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new EngineError("INVALID_ARGUMENT", `--components-path: cannot read it: ${cause}`, {
      cause: error,
    });
  }
}

class Reader {
  readonly #appId: string;
  readonly #problems: string[] = [];
  readonly #warnings: string[] = [];
  readonly #withheld: string[] = [];
  readonly #faulty: string[] = [];
  readonly #workflows: ReadComponent[] = [];
  readonly #stores: ReadComponent[] = [];
  readonly #places = new Map<string, string>();

  constructor(appId: string) {
    this.#appId = appId;
  }

  async read(file: string): Promise<void> {
    await this.#collect(async () => {
      for (const document of parseYamlDocuments(file, await readComponentFile(file))) {
        await this.#collect(() => this.#take(document));
      }
    });
  }

  async end(): Promise<Omit<ComponentFiles, "hasFolder">> {
    const opened = await openSecretStores(this.#stores.filter((store) => this.#isInScope(store)));
    this.#problems.push(...opened.problems);
    this.#warnings.push(...opened.warnings);
    const components: ComponentSpec[] = [];
    for (const component of this.#workflows) {
      await this.#collect(() => {
        const spec = this.#specOf(component, opened);
        if (spec !== undefined) components.push(spec);
      });
    }
    if (this.#problems.length > 0) throw invalidFile(this.#problems);
    return {
      components,
      withheld: this.#withheld,
      faulty: this.#faulty,
      warnings: this.#warnings,
      secretFiles: opened.files,
    };
  }

  /** Goes on after a mistake, so that all of them are told. */
  async #collect(run: () => void | Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (!isEngineError(error) || error.code !== "INVALID_ARGUMENT") throw error;
      this.#problems.push(error.message);
    }
  }

  #take(document: YamlDocument): void {
    const { kind } = document.check(resourceHead);
    if (kind !== "Component") {
      const where = kind === "Configuration" ? "goes to --config" : "is not used by Pawl";
      this.#warnings.push(document.problem(["kind"], `${kind} ${where}`));
      return;
    }
    const { metadata, spec } = document.check(componentHead);
    const isStore = spec.type.startsWith("secretstores.local.");
    if (!isStore && !spec.type.startsWith("workflow.")) {
      const message = `${spec.type} "${metadata.name}" is not used by Pawl`;
      this.#warnings.push(document.problem(["spec", "type"], message));
      return;
    }
    const { data: resource, unknown } = document.checkKnown(componentSchema);
    this.#requireOnce(document, resource);
    for (const path of unknown) {
      this.#warnings.push(document.problem(path, "is not used by Pawl"));
    }
    if (isStore) this.#stores.push({ document, resource });
    else this.#workflows.push({ document, resource });
  }

  /** Names that differ in case alone may be one folder. */
  #requireOnce(document: YamlDocument, { metadata }: ComponentResource): void {
    const path = ["metadata", "name"];
    const key = metadata.name.toLowerCase();
    const other = this.#places.get(key);
    if (other !== undefined) {
      throw invalidFile([document.problem(path, `"${metadata.name}" is taken by ${other}`)]);
    }
    this.#places.set(key, document.place(path));
  }

  /** Without scopes a component is for every server. */
  #isInScope({ resource: { scopes = [] } }: ReadComponent): boolean {
    return scopes.length === 0 || scopes.includes(this.#appId);
  }

  /** Undefined: it is withheld. */
  #specOf(component: ReadComponent, opened: OpenedSecretStores): ComponentSpec | undefined {
    const { document, resource } = component;
    const { name } = resource.metadata;
    if (!this.#isInScope(component)) {
      const scopes = resource.scopes ?? [];
      const message = `"${name}" is for ${scopes.join(", ")}, and this is "${this.#appId}": it is not served`;
      this.#warnings.push(document.problem(["scopes"], message));
      this.#withheld.push(name);
      return undefined;
    }
    try {
      return this.#readSpec(component, opened);
    } catch (error) {
      if (!resource.spec.ignoreErrors || !isEngineError(error)) throw error;
      this.#warnings.push(`${error.message}; "${name}" is ignored`);
      this.#faulty.push(name);
      return undefined;
    }
  }

  #readSpec({ document, resource }: ReadComponent, opened: OpenedSecretStores): ComponentSpec {
    const { type, version, ignoreErrors } = resource.spec;
    const { name } = resource.metadata;
    if (type !== workflowType) {
      const message = `${type} is not a type that Pawl has: ${workflowType} is`;
      throw invalidFile([document.problem(["spec", "type"], message)]);
    }
    const values = readMetadata(document, resource, opened.find);
    const { settings, problems } = readSettings(document, name, values);
    const all = [...values.problems, ...problems];
    if (all.length > 0) throw invalidFile(all);
    for (const [key, value] of values.values) {
      if (settingNames.every((setting) => setting.toLowerCase() !== key)) {
        const message = `${workflowType} has no setting "${value.name}"`;
        this.#warnings.push(document.problem(value.namePath, message));
      }
    }
    const place = document.place(["metadata", "name"]);
    return { name, type, version, place, ignoreErrors, settings };
  }
}

async function readComponentFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new EngineError("INVALID_ARGUMENT", `cannot read ${file}: ${cause}`, { cause: error });
  }
}
