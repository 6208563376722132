// SPDX-License-Identifier: Apache-2.0

// Maps and sets of an instance that most instances never put anything into. An empty one takes 184 bytes
// and an instance has seven: as long as nothing is in them, all instances share one, which nobody writes to.

const emptyMap: ReadonlyMap<never, never> = new Map<never, never>();
const emptySet: ReadonlySet<never> = new Set<never>();

/** A map that nothing has been put into. */
export function noEntries<K, V>(): ReadonlyMap<K, V> {
  return emptyMap;
}

/** A set that nothing has been put into. */
export function noItems<T>(): ReadonlySet<T> {
  return emptySet;
}

/** Sets an entry; gives the map that has it: the same one, or a new one where it was the shared one. */
export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  if (map === emptyMap || !(map instanceof Map)) return new Map([...map, [key, value]]);
  map.set(key, value);
  return map;
}

/** Adds an item; gives the set that has it, as `withEntry` does. */
export function withItem<T>(set: ReadonlySet<T>, item: T): ReadonlySet<T> {
  if (set === emptySet || !(set instanceof Set)) return new Set([...set, item]);
  set.add(item);
  return set;
}

/** Takes an entry or an item out, if it is there. */
export function without<K>(from: ReadonlyMap<K, unknown> | ReadonlySet<K>, key: K): void {
  if (from.size > 0 && (from instanceof Map || from instanceof Set)) from.delete(key);
}
