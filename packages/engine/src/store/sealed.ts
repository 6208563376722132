// SPDX-License-Identifier: Apache-2.0

import { crc32 } from "node:zlib";
import { damaged } from "./damaged.js";

/**
 * What a sealed value begins with. No protobuf message does, not even with one bit of it changed: so values
 * of a format before seals are told apart, and a damaged mark is never taken for one of them.
 */
const sealMark = 0x07;
/** The mark, and a CRC-32 of the value. */
const sealBytes = 5;

/** A value with its checksum. */
export function seal(value: Uint8Array): Uint8Array {
  const sealed = Buffer.allocUnsafe(sealBytes + value.length);
  sealed[0] = sealMark;
  sealed.writeUInt32BE(crc32(value), 1);
  sealed.set(value, sealBytes);
  return sealed;
}

/**
 * The value that was sealed; as it is, where it was written before there were seals.
 * @throws INSTANCE_DAMAGED when it does not have its checksum
 */
export function unseal(sealed: Uint8Array, what: string): Uint8Array {
  if (sealed[0] !== sealMark) return sealed;
  const value = sealed.subarray(sealBytes);
  const view = new DataView(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (sealed.length < sealBytes || view.getUint32(1) !== crc32(value)) {
    throw damaged(`a ${what} does not have its checksum`);
  }
  return value;
}
