// SPDX-License-Identifier: Apache-2.0

// CRC-32C (Castagnoli), which guards every record and block that LevelDB writes. Node's zlib has only
// the other polynomial. Eight tables, so that eight bytes are taken at a time.

const polynomial = 0x82f63b78;
const tables = makeTables();

/** The checksum of bytes, or of what follows bytes whose checksum is `before`. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const eights = bytes.length - (bytes.length % 8);
  let crc = ~before;
  let at = 0;
  for (; at < eights; at += 8) {
    const low = crc ^ view.getUint32(at, true);
    const high = view.getUint32(at + 4, true);
    crc =
      look(t7, low) ^
      look(t6, low >>> 8) ^
      look(t5, low >>> 16) ^
      look(t4, low >>> 24) ^
      look(t3, high) ^
      look(t2, high >>> 8) ^
      look(t1, high >>> 16) ^
      look(t0, high >>> 24);
  }
  for (; at < bytes.length; at += 1) crc = look(t0, crc ^ view.getUint8(at)) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The checksum in the form in which LevelDB stores it. */
export function maskedCrc32c(...parts: readonly Uint8Array[]): number {
  const crc = parts.reduce((before, part) => crc32c(part, before), 0);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function look(table: Uint32Array, index: number): number {
  return table[index & 0xff] ?? 0;
}

type Eight<T> = readonly [T, T, T, T, T, T, T, T];

function makeTables(): Eight<Uint32Array> {
  const first = new Uint32Array(256).map((_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    return crc;
  });
  const next = (table: Uint32Array): Uint32Array =>
    table.map((crc) => look(first, crc) ^ (crc >>> 8));
  const t1 = next(first);
  const t2 = next(t1);
  const t3 = next(t2);
  const t4 = next(t3);
  const t5 = next(t4);
  const t6 = next(t5);
  return [first, t1, t2, t3, t4, t5, t6, next(t6)];
}
