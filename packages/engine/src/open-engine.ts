// SPDX-License-Identifier: Apache-2.0

import { resolve } from "node:path";
import { Engine } from "./engine.js";
import { EngineError, isUnavailable } from "./errors.js";
import {
  defaults,
  type EngineOptions,
  type Logger,
  type ResolvedOptions,
  resolveOptions,
} from "./options.js";
import type { FilesDamaged } from "./store/level/inspect.js";
import { requireFinished } from "./store/level-copy.js";
import { type LevelStoreOptions, openLevelStore } from "./store/level-store.js";
import { openMemoryStore } from "./store/memory-store.js";
import type { CheckOptions } from "./store/sound-files.js";
import type { OpenStore } from "./store/store.js";

/**
 * Opens an engine and takes up what was unfinished. Resolves when it is ready.
 * @throws INVALID_ARGUMENT when "level" is asked for without `dataDir`, or with one that can be no folder;
 *   STORE_LOCKED when another process has the folder; STORE_DAMAGED; STORE_TOO_NEW; STORE_UNAVAILABLE when
 *   the system does not let it be opened
 */
export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  const resolved = resolveOptions(options);
  if (resolved.store === "level" && resolved.dataDir === "") {
    throw new EngineError("INVALID_ARGUMENT", 'store "level" needs a data folder: set dataDir', {
      details: { field: "dataDir" },
    });
  }
  const openStore = resolved.store === "memory" ? openMemoryStore : openFolder(resolved);
  const engine = new Engine(resolved, openStore);
  try {
    await engine.open();
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    // Where it opened well and cannot be read, all of it is looked at the second time.
    await engine.open();
  }
  return engine;
}

/** A database that cannot be read, though all of it can, is not gone through again before this time is up. */
const checkAgainMs = 60_000;

/** How the data folder is opened: again, and all of it checked first, when damage was found in it. */
function openFolder({ onDamage, scrub, logger, ...options }: ResolvedOptions): OpenStore {
  const dataDir = resolve(options.dataDir);
  requireFinished(dataDir);
  const handling: LevelStoreOptions = {
    onDamage,
    onUpgrade: upgradeLog(logger),
    scrub: { ...defaults.scrub, ...scrub },
    ...salvageLog(logger),
  };
  /** The scrub has found damage. */
  let isDamaged = false;
  /** It could not be read. */
  let isSuspect = false;
  let checkedAt = Number.NEGATIVE_INFINITY;
  return async (onFailure) => {
    const onFault = (fault: FilesDamaged): void => {
      logger.error(
        { file: fault.file, reason: fault.message },
        "a table of the database is damaged",
      );
      if (onDamage !== "salvage" || !fault.isConfined) return;
      isDamaged = true;
      onFailure(fault);
    };
    const onUnreadable = (error: EngineError): void => {
      // It cannot be told whether this is damage: when it is opened again, all of it is looked at.
      isSuspect = true;
      onFailure(error);
    };
    const now = performance.now();
    const isDue = isDamaged || (isSuspect && now - checkedAt >= checkAgainMs);
    const all = isDue ? { checkBytes: Number.POSITIVE_INFINITY } : {};
    const store = await openLevelStore(dataDir, { ...handling, ...all, onFault, onUnreadable });
    if (isDue) {
      isDamaged = false;
      isSuspect = false;
      checkedAt = now;
    }
    return store;
  };
}

/** Instances between two log lines of an upgrade. */
const upgradeLogStep = 50_000;

/** Logs the beginning of an upgrade, and how far it is. */
function upgradeLog(logger: Logger): (instances: number) => void {
  let next = 0;
  return (instances) => {
    if (instances < next) return;
    next = instances + upgradeLogStep;
    logger.info({ instances }, "the data folder is being upgraded to the present format");
  };
}

/** Log lines of one salvage, about. */
const salvageLogLines = 10;

/** Logs how far a salvage is, and what it came to. */
function salvageLog(logger: Logger): Pick<CheckOptions, "onSalvage" | "onSalvaged"> {
  return {
    onSalvage: (done, count) => {
      if (done < count && done % Math.ceil(count / salvageLogLines) !== 0) return;
      logger.warn(
        { done, count },
        "the data folder is damaged: what can be read is being salvaged",
      );
    },
    onSalvaged: ({ aside, lost }) => {
      const blocks = lost.map(
        ({ file, offset, isRest }) => `${file} at byte ${offset}${isRest ? " and behind" : ""}`,
      );
      logger.error({ aside, blocks }, "the data folder was damaged: what can be read was salvaged");
    },
  };
}
