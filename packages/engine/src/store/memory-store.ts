// SPDX-License-Identifier: Apache-2.0

import { MemoryLevel } from "memory-level";
import { AbstractStore, type Database } from "./abstract-store.js";
import type { Store } from "./store.js";

/** Opens a store that keeps nothing after it is closed. */
export async function openMemoryStore(): Promise<Store> {
  const db: Database = new MemoryLevel<Uint8Array, Uint8Array>({
    keyEncoding: "buffer",
    valueEncoding: "buffer",
  });
  await db.open();
  return new AbstractStore(db);
}
