// SPDX-License-Identifier: Apache-2.0

import type { Entry, KeyRange, StoreReader } from "./store.js";

/** Entries that are read at a time. */
const pieceSize = 1000;

/** The first key after this one. */
export function following(key: Uint8Array): Uint8Array {
  return Buffer.concat([key, Buffer.alloc(1)]);
}

/** The first key after all that begin with this prefix, which has a byte that is not 0xff. */
export function afterPrefix(prefix: Uint8Array): Buffer {
  const last = prefix.findLastIndex((byte) => byte !== 0xff);
  const end = Buffer.from(prefix.subarray(0, last + 1));
  end[last] = (end[last] ?? 0) + 1;
  return end;
}

/** The entries of a range, piece by piece: for ranges that may be too long for the memory. */
export async function* scan(
  store: StoreReader,
  { gte, lt }: Pick<KeyRange, "gte" | "lt">,
): AsyncGenerator<readonly Entry[], void> {
  for (let from = gte; ; ) {
    const entries = await store.range({ gte: from, lt, limit: pieceSize });
    if (entries.length > 0) yield entries;
    const last = entries.at(-1);
    if (entries.length < pieceSize || last === undefined) return;
    from = following(last[0]);
  }
}
