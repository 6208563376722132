// SPDX-License-Identifier: Apache-2.0

import { Engine } from "../engine.js";
import { type EngineOptions, type ResolvedOptions, resolveOptions } from "../options.js";
import type { OpenStore } from "../store/store.js";

/**
 * Opens an engine over any store: one of your own, or one that fails on demand. `options.store` and
 * `options.dataDir` say nothing here. With `batchSize`, a batch takes so many instances, and the next one is
 * made ready meanwhile, as where many go in step.
 * @throws what `openStore` throws, and what a recovery may throw
 */
export async function openEngineOver(
  openStore: OpenStore,
  { batchSize, ...options }: EngineOptions & { readonly batchSize?: number | undefined } = {},
): Promise<Engine> {
  const resolved = resolveOptions(options);
  const engine = new Engine(
    batchSize === undefined ? resolved : paced(resolved, batchSize),
    openStore,
  );
  await engine.open();
  return engine;
}

function paced(options: ResolvedOptions, batchSize: number): ResolvedOptions {
  return { ...options, pace: { batchSize, begun() {}, added() {}, ended() {} } };
}
