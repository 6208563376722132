// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from "node:util";
import type { Engine, EngineSettings } from "@pawl/engine";
import { limits } from "@pawl/protocol";
import { mergeSettings } from "../config/merge-settings.js";
import type { ResolvedServerOptions, ServedEngine, ServerLogger } from "../options.js";
import type { ComponentFiles, ComponentSpec } from "./component-files.js";
import { workflowType } from "./component-settings.js";
import { Components } from "./components.js";
import { listKeptComponents } from "./data-folder.js";
import { builtInName } from "./name.js";
import { type Location, locationOf, openComponentEngine } from "./open-component.js";
import { requireOwnFolders } from "./own-folders.js";

/** Between two attempts to open what could not be opened; grows. */
const firstRetryMs = 1_000;
const maxRetryMs = 60_000;

/** An engine as callers of a component may see it. */
export type Protect = (engine: ServedEngine, component: string) => ServedEngine;

/** An engine that was opened here. */
interface Entry {
  readonly engine: Engine;
  readonly location: Location;
  readonly gone: AbortController;
  /** Undefined: no file names it, as it is the built-in one. */
  spec: ComponentSpec | undefined;
}

/** What is done when a component cannot be opened, after it was logged. May throw. */
type OnFailure = (spec: ComponentSpec, error: unknown) => void;

/**
 * Opens and closes engines, so that the components are what their files say. The built-in one is
 * always there.
 */
export class ComponentKeeper {
  readonly components: Components;
  readonly #server: ResolvedServerOptions;
  readonly #protect: Protect;
  readonly #log: ServerLogger;
  readonly #entries = new Map<string, Entry>();
  /** What Configuration files say of all components. */
  #configured: EngineSettings;
  #files: ComponentFiles;
  /** Those that were served by this process, and are not any more. */
  readonly #removed = new Set<string>();
  /** Kept data that the log has told of. */
  readonly #toldKept = new Set<string>();
  /** Why some cannot be opened. */
  readonly #failures = new Map<string, string>();
  #retryTimer: NodeJS.Timeout | undefined;
  #retryMs = firstRetryMs;
  /** The end of what is under way, which never rejects: files are taken up one after the other. */
  #applied: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(
    server: ResolvedServerOptions,
    protect: Protect,
    configured: EngineSettings,
    files: ComponentFiles,
  ) {
    this.components = new Components(!files.hasFolder);
    this.#server = server;
    this.#protect = protect;
    this.#log = server.logger;
    this.#configured = configured;
    this.#files = files;
  }

  /**
   * Opens the built-in component and all that files ask for.
   * Rejects when one cannot be opened, unless its file says `ignoreErrors`.
   */
  static async open(
    server: ResolvedServerOptions,
    protect: Protect,
    configured: EngineSettings,
    files: ComponentFiles,
  ): Promise<ComponentKeeper> {
    const keeper = new ComponentKeeper(server, protect, configured, files);
    requireOwnFolders(server, files.components);
    try {
      await keeper.#openBuiltIn();
      await keeper.#apply((spec, error) => {
        if (!spec.ignoreErrors) throw error;
      });
    } catch (error) {
      await keeper.close();
      throw error;
    }
    return keeper;
  }

  /** The engine of the built-in component, as it is behind what callers see. */
  get builtIn(): ServedEngine {
    const engine = this.#server.engine ?? this.#entries.get(builtInName)?.engine;
    if (engine === undefined) throw new Error("the built-in component is always there");
    return engine;
  }

  /** Takes up what Configuration files say now. */
  reconfigure(configured: EngineSettings): void {
    this.#configured = configured;
    for (const entry of this.#entries.values()) this.#configure(entry);
  }

  /**
   * Takes up what the files of components say now. What cannot be opened is logged, and tried again.
   * @throws INVALID_ARGUMENT when the data of two would be in one folder, or in one within another
   */
  async reload(files: ComponentFiles): Promise<void> {
    requireOwnFolders(this.#server, files.components);
    await this.#inTurn(() => {
      this.#files = files;
      if (files.hasFolder) this.components.requireNames();
      this.#retryMs = firstRetryMs;
      return this.#apply(() => {});
    });
  }

  #inTurn(run: () => Promise<void>): Promise<void> {
    const applied = this.#applied.then(run);
    this.#applied = applied.catch(() => {});
    return applied;
  }

  /** Closes every engine that was opened here. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    await this.#applied;
    await Promise.all([...this.#entries.values()].map(({ engine }) => engine.close()));
  }

  async #openBuiltIn(): Promise<void> {
    const { engine: given } = this.#server;
    const spec = this.#files.components.find(({ name }) => name === builtInName);
    if (given !== undefined) {
      this.#serve(builtInName, spec, given, new AbortController());
      return;
    }
    const location = locationOf(this.#server, undefined);
    const engine = await this.#openEngine(location, spec, this.#log);
    this.#add(builtInName, spec, engine, location);
  }

  #openEngine(
    location: Location,
    spec: ComponentSpec | undefined,
    logger: ServerLogger,
  ): Promise<Engine> {
    const { onDamage, scrubBytesPerSecond, tracing, appId, strictDapr } = this.#server;
    const scrub = { bytesPerSecond: scrubBytesPerSecond };
    const traced = tracing === undefined ? {} : { tracing };
    const settings = this.#settingsFor(spec);
    return openComponentEngine(location, {
      ...settings,
      ...traced,
      onDamage,
      scrub,
      // Dapr takes what a request holds, and stalls the instance where no worker can.
      ...(strictDapr ? { inputBytes: limits.requestBytes + 1 } : {}),
      logger,
      appId,
    });
  }

  /** Configuration, then flags, then the component's own file. */
  #settingsFor(spec: ComponentSpec | undefined): EngineSettings {
    const common = mergeSettings(this.#configured, this.#server.engineOptions);
    return mergeSettings(common, spec?.settings.engine ?? {});
  }

  /** Closes, changes and opens components until they are what the files say. */
  async #apply(onFailure: OnFailure): Promise<void> {
    const asked = new Map(this.#files.components.map((spec) => [spec.name, spec]));
    for (const [name, entry] of [...this.#entries]) {
      const spec = asked.get(name);
      // Its last good state stays, as with any other mistake.
      if (this.#files.faulty.includes(name)) continue;
      if (spec !== undefined || name === builtInName) this.#change(name, entry, spec);
      else await this.#remove(name, entry);
    }
    for (const name of this.#failures.keys()) {
      if (!asked.has(name)) this.#failures.delete(name);
    }
    for (const spec of asked.values()) {
      const isGiven = spec.name === builtInName || this.#isClosed;
      if (!isGiven && !this.#entries.has(spec.name)) await this.#openOne(spec, onFailure);
    }
    await this.#noteWithheld();
    this.#retryLater();
  }

  async #openOne(spec: ComponentSpec, onFailure: OnFailure): Promise<void> {
    const { name, place } = spec;
    const location = locationOf(this.#server, spec);
    const log = withComponent(this.#log, name);
    // Opening may take long, and its calls must go nowhere else meanwhile.
    this.components.expect(name);
    try {
      const engine = await this.#openEngine(location, spec, log);
      this.#failures.delete(name);
      this.#add(name, spec, engine, location);
      this.#log.info({ component: name, place, dataDir: location.dataDir }, "component opened");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      // Tried over and over, and told once.
      if (this.#failures.get(name) !== reason) {
        this.#log.error({ component: name, place, reason }, "component cannot be opened");
      }
      this.#failures.set(name, reason);
      onFailure(spec, error);
    }
  }

  #add(name: string, spec: ComponentSpec | undefined, engine: Engine, location: Location): void {
    const gone = new AbortController();
    this.#entries.set(name, { engine, location, gone, spec });
    this.#serve(name, spec, engine, gone);
  }

  #serve(
    name: string,
    spec: ComponentSpec | undefined,
    engine: ServedEngine,
    { signal: gone }: AbortController,
  ): void {
    const { type = workflowType, version = "v1" } = spec ?? {};
    const port = spec?.settings.port;
    const component = { name, type, version, engine: this.#protect(engine, name), gone };
    this.components.add(port === undefined ? component : { ...component, port });
  }

  #change(name: string, entry: Entry, spec: ComponentSpec | undefined): void {
    const isSame = isDeepStrictEqual(entry.spec?.settings, spec?.settings);
    entry.spec = spec;
    if (isSame) return;
    this.#configure(entry);
    this.components.setPort(name, spec?.settings.port);
    const { dataDir } = entry.location;
    const wanted = locationOf(this.#server, name === builtInName ? undefined : spec);
    if (isDeepStrictEqual(entry.location, wanted)) {
      this.#log.info({ component: name }, "component changed");
    } else {
      this.#log.warn(
        { component: name, dataDir, newDataDir: wanted.dataDir },
        "component changed; where it keeps its data changes at the next start of the server",
      );
    }
  }

  #configure({ engine, spec }: Entry): void {
    engine.reconfigure(this.#settingsFor(spec));
  }

  async #remove(name: string, { engine, location, gone }: Entry): Promise<void> {
    this.#entries.delete(name);
    this.#removed.add(name);
    this.components.remove(name);
    gone.abort();
    await engine.close();
    const { store, dataDir } = location;
    this.#toldKept.add(name);
    const fate = store === "memory" ? "was in memory" : "is kept";
    this.#log.warn({ component: name, dataDir }, `component no longer served; its data ${fate}`);
  }

  async #noteWithheld(): Promise<void> {
    const { store, dataDir } = this.#server;
    const kept = store === "level" ? await listKeptComponents(dataDir) : [];
    const withheld = [...this.#files.withheld, ...this.#files.faulty];
    const asked = new Set([...withheld, ...this.#files.components.map(({ name }) => name)]);
    for (const name of kept) {
      if (asked.has(name) || this.#toldKept.has(name)) continue;
      this.#toldKept.add(name);
      this.#log.warn(
        { component: name, dataDir },
        "there is data of a component that no file names; it is kept and not served",
      );
    }
    this.components.withhold([...kept, ...this.#removed, ...withheld, ...this.#failures.keys()]);
  }

  #retryLater(): void {
    clearTimeout(this.#retryTimer);
    if (this.#failures.size === 0 || this.#isClosed) return;
    this.#retryTimer = setTimeout(() => {
      this.#inTurn(() => this.#apply(() => {})).catch((error: unknown) =>
        this.#log.error({ err: error }, "components cannot be opened"),
      );
    }, this.#retryMs).unref();
    this.#retryMs = Math.min(this.#retryMs * 2, maxRetryMs);
  }
}

/** A log that says of each line which component it is about. */
function withComponent(log: ServerLogger, component: string): ServerLogger {
  return {
    debug: (facts, message) => log.debug({ component, ...facts }, message),
    info: (facts, message) => log.info({ component, ...facts }, message),
    warn: (facts, message) => log.warn({ component, ...facts }, message),
    error: (facts, message) => log.error({ component, ...facts }, message),
  };
}
