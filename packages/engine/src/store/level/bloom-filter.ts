// SPDX-License-Identifier: Apache-2.0

// LevelDB's Bloom filters (util/bloom.cc, util/hash.cc). A table has one for the keys of all blocks that
// begin within the same 2 KiB of it (table/filter_block.cc).

const hashSeed = 0xbc9f1d34;
const hashFactor = 0xc6a4a793;
/** A filter with more probes has a form that is not known: any key may be in it. */
const maxProbes = 30;

/** False when the key is surely not among those of the filter; true for about 1 % of all others. */
export function mayMatch(filter: Uint8Array, key: Uint8Array): boolean {
  const bits = (filter.length - 1) * 8;
  const probes = filter.at(-1) ?? 0;
  if (bits <= 0) return false;
  if (probes > maxProbes) return true;
  let hash = hashOf(key);
  const step = ((hash >>> 17) | (hash << 15)) >>> 0;
  for (let probe = 0; probe < probes; probe += 1) {
    const bit = hash % bits;
    if (((filter[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
    hash = (hash + step) >>> 0;
  }
  return true;
}

/**
 * The filter of the block that begins at `offset`, out of a table's block of filters; undefined where it
 * has none, and any key may be there.
 */
export function filterAt(filters: Uint8Array, offset: number): Uint8Array | undefined {
  if (filters.length < 5) return undefined;
  const view = new DataView(filters.buffer, filters.byteOffset, filters.byteLength);
  const placesAt = view.getUint32(filters.length - 5, true);
  const index = Math.floor(offset / 2 ** (filters.at(-1) ?? 0));
  const at = placesAt + index * 4;
  if (at + 8 > filters.length - 1) return undefined;
  const start = view.getUint32(at, true);
  const end = view.getUint32(at + 4, true);
  return start <= end && end <= placesAt ? filters.subarray(start, end) : undefined;
}

function hashOf(key: Uint8Array): number {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  let hash = (hashSeed ^ Math.imul(key.length, hashFactor)) >>> 0;
  let at = 0;
  for (; at + 4 <= key.length; at += 4) {
    hash = Math.imul(hash + view.getUint32(at, true), hashFactor);
    hash = (hash ^ (hash >>> 16)) >>> 0;
  }
  if (at === key.length) return hash;
  let rest = 0;
  for (let end = key.length - 1; end >= at; end -= 1) rest = rest * 256 + (key[end] ?? 0);
  hash = Math.imul(hash + rest, hashFactor);
  return (hash ^ (hash >>> 24)) >>> 0;
}
