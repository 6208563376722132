// SPDX-License-Identifier: Apache-2.0

import { stat } from "node:fs/promises";
import type { EngineSettings } from "@pawl/engine";
import { readDaprConfiguration } from "../config/dapr-configuration.js";
import { openReloaded } from "../config/reloaded-file.js";
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
    const [settings, read] = [configuration.now(), files.now()];
    keeper = await ComponentKeeper.open(server, protect, settings, read);
    // What changed while engines were opened, which may take long.
    if (configuration.now() !== settings) keeper.reconfigure(configuration.now());
    if (files.now() !== read) await keeper.reload(files.now());
    return { components: keeper.components, builtIn: keeper.builtIn, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Something that is read of files, as it was when it was last good. */
interface Followed<T> {
  now(): T;
  stop(): void;
}

async function followConfiguration(
  { configFiles, reloadIntervalMs, logger: log }: ResolvedServerOptions,
  tellOnce: (warnings: readonly string[]) => void,
  changed: (settings: EngineSettings) => void,
): Promise<Followed<EngineSettings>> {
  let now: EngineSettings | undefined;
  const { value, stop } = await openReloaded({
    what: "configuration",
    files: configFiles,
    async read() {
      const { settings, warnings } = await readDaprConfiguration(configFiles);
      tellOnce(warnings);
      return settings;
    },
    changed(settings) {
      now = settings;
      changed(settings);
    },
    reloadIntervalMs,
    log,
  });
  return { now: () => now ?? value, stop };
}

async function followFiles(
  server: ResolvedServerOptions,
  tellOnce: (warnings: readonly string[]) => void,
  changed: (files: ComponentFiles) => Promise<void> | undefined,
): Promise<Followed<ComponentFiles>> {
  const { appId, reloadIntervalMs, logger: log } = server;
  const findFolders = createFindFolders(server);
  const readAll = async (): Promise<ComponentFiles> =>
    readComponentFiles(await findFolders(), appId);
  let now: ComponentFiles | undefined;
  // Known beforehand, so that the first look does not take them for new.
  let secretFiles = await readAll().then(
    (read) => read.secretFiles,
    () => [],
  );
  const { value, stop } = await openReloaded({
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
    async changed(read) {
      now = read;
      await changed(read);
    },
    reloadIntervalMs,
    log,
  });
  return { now: () => now ?? value, stop };
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
