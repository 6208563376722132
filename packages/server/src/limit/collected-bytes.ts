// SPDX-License-Identifier: Apache-2.0

const none = Buffer.alloc(0);

/**
 * The bytes of a body, as they come. Takes at most twice the memory of what has come, however small the
 * pieces are: kept one by one, each would cost a hundred bytes more than it has.
 */
export class CollectedBytes {
  #buffer: Buffer = none;
  #sizeBytes = 0;

  /** Bytes that have come. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Takes a piece. The first is kept as it is: most bodies have no other. */
  add(piece: Buffer): void {
    const before = this.#sizeBytes;
    this.#sizeBytes += piece.byteLength;
    if (before === 0) {
      this.#buffer = piece;
      return;
    }
    if (this.#sizeBytes > this.#buffer.byteLength) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#sizeBytes, 2 * before));
      larger.set(this.#buffer.subarray(0, before));
      this.#buffer = larger;
    }
    this.#buffer.set(piece, before);
  }

  /** What has come, in one piece; good until more is added. */
  joined(): Buffer {
    return this.#buffer.subarray(0, this.#sizeBytes);
  }

  /** Forgets everything. */
  clear(): void {
    this.#buffer = none;
    this.#sizeBytes = 0;
  }
}
