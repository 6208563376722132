// SPDX-License-Identifier: Apache-2.0

import { isIPv6 } from "node:net";

/** Counts the connections of each address, so that no single one takes all that there may be. */
export class AddressLimit {
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  /** @param most connections that one address may have */
  constructor(most: number) {
    this.#most = most;
  }

  /** Counts a connection; false, and not counted, when its address has as many as it may. */
  take(address: string): boolean {
    const network = networkOf(address);
    const count = this.#counts.get(network) ?? 0;
    if (count >= this.#most) return false;
    this.#counts.set(network, count + 1);
    return true;
  }

  /** Counts one connection less. */
  giveBack(address: string): void {
    const network = networkOf(address);
    const count = this.#counts.get(network) ?? 0;
    if (count > 1) {
      this.#counts.set(network, count - 1);
    } else {
      this.#counts.delete(network);
    }
  }
}

/**
 * What is counted as one: an IPv4 address, and the first half of one of IPv6, of whose other half a
 * site has all to itself (RFC 4291, section 2.5.4).
 */
function networkOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [head = "", tail] = address.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = new Array<string>(tail === undefined ? 0 : 8 - first.length - last.length).fill(
    "0",
  );
  return [...first, ...zeros, ...last].slice(0, 4).join(":");
}
