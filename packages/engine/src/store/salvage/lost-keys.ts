// SPDX-License-Identifier: Apache-2.0

import { afterPrefix } from "../scan.js";
import { mark, type StoreWrite } from "../store.js";

// What a salvage leaves in the partition of the store as a whole, 0xffff:
//
//   kind  key                value
//   k     number             LostBlock: what was in it is not known
//   f     instance id        (empty) the id is free, whatever was in a lost block
//   m                        (empty) the instances have yet to be gone through

const metaPartition = [0xff, 0xff];
const lostPrefix = Buffer.from([...metaPartition, 0x6b]);
const freePrefix = Buffer.from([...metaPartition, 0x66]);

/** Marks a salvaged store whose instances have yet to be gone through. */
export const unmendedKey: Uint8Array = Buffer.from([...metaPartition, 0x6d]);

/** Key of a lost block. */
export function lostKey(number: number): Uint8Array {
  const key = Buffer.concat([lostPrefix, Buffer.alloc(4)]);
  key.writeUInt32BE(number, lostPrefix.length);
  return key;
}

/** The list of lost blocks. */
export const lostRange: { readonly gte: Uint8Array; readonly lt: Uint8Array } = rangeOf(lostPrefix);

/** True for the key of an id that is free. */
export function isFreeKey(key: Uint8Array): boolean {
  return Buffer.compare(key.subarray(0, freePrefix.length), freePrefix) === 0;
}

/** All ids that are free, whatever was in a lost block. */
export const freeRange: { readonly gte: Uint8Array; readonly lt: Uint8Array } = rangeOf(freePrefix);

/** The id in the key of one that is free. */
export function freeIdOf(key: Uint8Array): string {
  return Buffer.from(key.subarray(freePrefix.length)).toString("utf8");
}

/** What frees an id. */
export function freeWrite(instanceId: string): StoreWrite {
  const key = Buffer.concat([freePrefix, Buffer.from(instanceId, "utf8")]);
  return mark(key);
}

function rangeOf(prefix: Uint8Array): { gte: Uint8Array; lt: Uint8Array } {
  return { gte: prefix, lt: afterPrefix(prefix) };
}
