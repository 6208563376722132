// SPDX-License-Identifier: Apache-2.0

import { createHash, timingSafeEqual } from "node:crypto";
import type { Scope } from "./operation.js";

/** A token of which only the hash is kept. */
export interface KnownToken {
  /** Shown in logs and named in policies; not secret. */
  readonly name: string;
  /** SHA-256 of the token's UTF-8 bytes. */
  readonly digest: Buffer;
  readonly scopes: readonly Scope[];
}

/** SHA-256 of a token. */
export function digestToken(token: string): Buffer {
  return createHash("sha256").update(token, "utf8").digest();
}

/** The tokens that a server knows. */
export class TokenSet {
  readonly #tokens: readonly KnownToken[];

  constructor(tokens: readonly KnownToken[]) {
    this.#tokens = tokens;
  }

  /** How many there are. */
  get size(): number {
    return this.#tokens.length;
  }

  /**
   * The token that is equal to `text`. Hashes of equal length are compared, each in constant time
   * and always all of them, so that the time it takes says nothing about any token.
   */
  find(text: string): KnownToken | undefined {
    const digest = digestToken(text);
    let found: KnownToken | undefined;
    for (const token of this.#tokens) {
      if (timingSafeEqual(digest, token.digest)) {
        found = token;
      }
    }
    return found;
  }

  /** Whether a token that was found once is still here, with the same name and scopes. */
  has(token: KnownToken): boolean {
    return this.#tokens.some(
      (known) =>
        known.name === token.name &&
        known.digest.equals(token.digest) &&
        known.scopes.join() === token.scopes.join(),
    );
  }
}
