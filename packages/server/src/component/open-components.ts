// SPDX-License-Identifier: Apache-2.0

import { stat } from "node:fs/promises";
import type { EngineSettings } from "@pawl/engine";
import { readDaprConfiguration } from "../config/dapr-configuration.js";
import { openReloaded, type Reloaded } from "../config/reloaded-file.js";
import type { ResolvedServerOptions, ServedEngine, ServerLogger } from "../options.js";
import { type ComponentFiles, listComponentFiles, readComponentFiles } from "./component-files.js";
import { ComponentKeeper, type Protect } from "./component-keeper.js";
import type { Components } from "./components.js";

/** The components of a server, which follow their files until they are closed. */
export interface OpenedComponents {
  readonly components: Components;
  /** The engine of the built-in component, as it is behind what callers see. */
  readonly builtIn: ServedEngine;
  close(): Promise<void>;
}

/**
 * Reads Configuration files and the files of components, opens the engines, and follows the files.
 * Rejects with INVALID_ARGUMENT when a file is not good, and with what opening an engine rejects with.
 */
export async function openComponents(
  server: ResolvedServerOptions,
  protect: Protect,
): Promise<OpenedComponents> {
  const stops: (() => void)[] = [];
  const tellOnce = createTellOnce(server.logger);
  let keeper: ComponentKeeper | undefined;
  const close = async (): Promise<void> => {
    for (const stop of stops) stop();
    await keeper?.close();
  };
  try {
    const configuration = await followConfiguration(server, tellOnce, (settings) =>
      keeper?.reconfigure(settings),
    );
    stops.push(configuration.stop);
    const files = await followFiles(server, tellOnce, (read) => keeper?.reload(read));
    stops.push(files.stop);
    const [settings, read] = [configuration.value, files.value];
    keeper = await ComponentKeeper.open(server, protect, settings, read);
    // What changed while engines were opened, which may take long.
    if (configuration.value !== settings) keeper.reconfigure(configuration.value);
    if (files.value !== read) await keeper.reload(files.value);
    return { components: keeper.components, builtIn: keeper.builtIn, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function followConfiguration(
  { configFiles, reloadIntervalMs, logger: log }: ResolvedServerOptions,
  tellOnce: (warnings: readonly string[]) => void,
  changed: (settings: EngineSettings) => void,
): Promise<Reloaded<EngineSettings>> {
  return openReloaded({
    what: "configuration",
    files: configFiles,
    async read() {
      const { settings, warnings } = await readDaprConfiguration(configFiles);
      tellOnce(warnings);
      return settings;
    },
    changed,
    reloadIntervalMs,
    log,
  });
}

async function followFiles(
  server: ResolvedServerOptions,
  tellOnce: (warnings: readonly string[]) => void,
  changed: (files: ComponentFiles) => Promise<void> | void,
): Promise<Reloaded<ComponentFiles>> {
  const { appId, reloadIntervalMs, logger: log } = server;
  const findFolders = createFindFolders(server);
  const readAll = async (): Promise<ComponentFiles> =>
    readComponentFiles(await findFolders(), appId);
  // Known beforehand, so that the first look does not take them for new.
  let secretFiles = await readAll().then(
    (read) => read.secretFiles,
    () => [],
  );
  return openReloaded({
    what: "components",
    // A folder that is gone is another list than an empty one: reading it says what is wrong.
    async files() {
      const folders = await findFolders();
      return [...(await listComponentFiles(folders).catch(() => folders)), ...secretFiles];
    },
    async read() {
      const read = await readAll();
      secretFiles = read.secretFiles;
      tellOnce(read.warnings);
      return read;
    },
    changed,
    reloadIntervalMs,
    log,
  });
}

/**
 * The folders to read: those that were named, or the default one. That one counts from when it is first
 * there; if it goes, it is as with one that was named: what it said stays.
 */
function createFindFolders({
  componentsPaths,
  defaultComponentsPath,
}: ResolvedServerOptions): () => Promise<readonly string[]> {
  const isNamed = componentsPaths.length > 0 || defaultComponentsPath === "";
  let isThere = false;
  return async () => {
    if (isNamed) return componentsPaths;
    isThere ||= await stat(defaultComponentsPath).then(
      (found) => found.isDirectory(),
      () => false,
    );
    return isThere ? [defaultComponentsPath] : [];
  };
}

/** Logs warnings, each once, however often the files are read. */
function createTellOnce(log: ServerLogger): (warnings: readonly string[]) => void {
  const told = new Set<string>();
  return (warnings) => {
    for (const warning of warnings) {
      if (!told.has(warning)) log.warn({}, warning);
      told.add(warning);
    }
  };
}
