// SPDX-License-Identifier: Apache-2.0

/** One write of a batch. */
export type StoreWrite =
  | { readonly type: "put"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: "del"; readonly key: Uint8Array };

// The two by constructor: all writes of a commit live until it is on disk, and where they were object
// literals V8 would soon put them, and so all their keys and values, into the old generation at once.

class Put {
  readonly type = "put";
  readonly key: Uint8Array;
  readonly value: Uint8Array;

  constructor(key: Uint8Array, value: Uint8Array) {
    this.key = key;
    this.value = value;
  }
}

class Del {
  readonly type = "del";
  readonly key: Uint8Array;

  constructor(key: Uint8Array) {
    this.key = key;
  }
}

/** A write that sets the value of a key. */
export function put(key: Uint8Array, value: Uint8Array): StoreWrite {
  return new Put(key, value);
}

/** A write that sets a key whose being there is all that it says: its value is empty. */
export function mark(key: Uint8Array): StoreWrite {
  return new Put(key, noBytes);
}

const noBytes = new Uint8Array();

/** A write that deletes a key. */
export function del(key: Uint8Array): StoreWrite {
  return new Del(key);
}

/** A range of keys: from `gte` (inclusive) to `lt` (exclusive), in byte order. */
export interface KeyRange {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
  /** At most this many entries. @default all */
  readonly limit?: number;
  /** From the end. @default false */
  readonly reverse?: boolean;
}

/** A key and its value. */
export type Entry = readonly [key: Uint8Array, value: Uint8Array];

/** What can be read from. */
export interface StoreReader {
  /** The value of a key; `undefined` when there is none. @throws INSTANCE_DAMAGED, STORE_UNAVAILABLE */
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  /** The entries of a range, in order. @throws INSTANCE_DAMAGED, STORE_UNAVAILABLE */
  range(range: KeyRange): Promise<Entry[]>;
}

/** A store as it was at one moment. Has to be closed, and before its store is. */
export interface StoreSnapshot extends StoreReader {
  /** Lets the moment go. May be called twice. */
  close(): Promise<void>;
}

/**
 * An ordered key-value store with atomic batches: all that the engine needs of a disk. Reads see
 * every write that has resolved. After a rejected write the store takes no more writes: it must be
 * closed and opened again (reliability: a write after a failed one may vanish).
 */
export interface Store extends StoreReader {
  /**
   * The store as it is now: with every write that has resolved, and none that begins later.
   * @throws STORE_UNAVAILABLE
   */
  snapshot(): StoreSnapshot;
  /**
   * Writes a batch: all of it or nothing. Resolved means on disk, where the store has a disk.
   * @throws STORE_UNAVAILABLE
   */
  write(batch: readonly StoreWrite[]): Promise<void>;
  /** Lets the store go. Waits for what is under way. May be called twice. */
  close(): Promise<void>;
}

/**
 * Opens a store; called again after a failed write, and after `onFailure`: the store was found to be such
 * that it has to be closed and opened again.
 */
export type OpenStore = (onFailure: (error: unknown) => void) => Promise<Store>;
