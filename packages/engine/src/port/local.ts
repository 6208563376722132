// SPDX-License-Identifier: Apache-2.0

// What can be asked of the engine in its own process alone; what travels is in @pawl/protocol/port.

import type { Instance, WaitOptions } from "@pawl/protocol/port";

/** A piece of a store as it was when its backup began. */
export interface BackupPiece {
  /** Keys and values, in the order of the keys: this piece's come after those of the piece before. */
  readonly entries: readonly (readonly [key: Uint8Array, value: Uint8Array])[];
  /** About how much of the whole is behind with this piece: 0 to 1, never less than before. */
  readonly share: number;
}

/** What an operator may ask of the engine. Rejects with `EngineError`. */
export interface BackupPort {
  /**
   * Everything that is in the store at this moment, while the engine works on: a backup, once all of
   * it was taken. What is written meanwhile is not in it. `writeBackup` makes a data folder of it.
   * @throws STORE_UNAVAILABLE when the store is, or is being, reopened; INSTANCE_DAMAGED when a part
   * of it cannot be read; SHUTTING_DOWN
   */
  backup(): AsyncIterable<BackupPiece>;
}

/** Waits with a condition of the caller's own. */
export interface WaitPort {
  /** Resolves when the instance satisfies `until`; an unknown id waits to be started. @throws CANCELLED */
  waitUntil(
    instanceId: string,
    until: (instance: Instance) => boolean,
    options?: WaitOptions,
  ): Promise<Instance>;
}
