// SPDX-License-Identifier: Apache-2.0

import { type Engine, type EngineOptions, type EngineSettings, openEngine } from "@pawl/engine";
import type { ServerOptions } from "../options.js";
import type { ComponentSpec } from "./component-files.js";
import { componentFolder } from "./data-folder.js";

/** Where a component keeps its data. */
export interface Location {
  readonly store: "level" | "memory";
  /** Empty where there is none. */
  readonly dataDir: string;
}

/** Where a component keeps its data; without a spec, the built-in one. */
export function locationOf(
  { store, dataDir }: Required<Pick<ServerOptions, "store" | "dataDir">>,
  spec: ComponentSpec | undefined,
): Location {
  const own = spec?.settings;
  const kind = own?.store ?? (own?.dataDir === undefined ? store : "level");
  if (kind === "memory") return { store: kind, dataDir: "" };
  const folder = spec === undefined ? dataDir : componentFolder(dataDir, spec.name);
  return { store: kind, dataDir: own?.dataDir ?? folder };
}

/** Opens the engine of a component. Rejects with what `openEngine` rejects with. */
export function openComponentEngine(
  location: Location,
  options: EngineSettings &
    Pick<EngineOptions, "onDamage" | "scrub" | "inputBytes" | "logger" | "tracing" | "appId">,
): Promise<Engine> {
  const where = location.store === "level" ? location : ({ store: "memory" } as const);
  return openEngine({ ...options, ...where });
}
