// SPDX-License-Identifier: Apache-2.0

import { Engine } from "../engine.js";
import { type EngineOptions, resolveOptions } from "../options.js";
import type { OpenStore } from "../store/store.js";

/**
 * Opens an engine over any store: one of your own, or one that fails on demand. `options.store` and
 * `options.dataDir` say nothing here.
 * @throws what `openStore` throws, and what a recovery may throw
 */
export async function openEngineOver(
  openStore: OpenStore,
  options: EngineOptions = {},
): Promise<Engine> {
  const engine = new Engine(resolveOptions(options), openStore);
  await engine.open();
  return engine;
}
