// SPDX-License-Identifier: Apache-2.0

import type { Scope } from "./operation.js";
import type { KnownToken } from "./token-set.js";

/** Who sent a request, and what they may do. */
export interface Caller {
  /**
   * The names that policies know the caller by: `token:NAME`, `certificate:SUBJECT`, or
   * `anonymous` where the server asks for no credentials.
   */
  readonly names: readonly string[];
  readonly scopes: ReadonlySet<Scope>;
  /** The token that was sent, if one was asked for. */
  readonly token?: KnownToken;
}

/** Everybody, on a server that asks for no credentials. */
export const anonymous: Caller = { names: ["anonymous"], scopes: new Set<Scope>(["admin"]) };

/** Whether a caller has one of the scopes; `admin` includes all. */
export function hasScope(caller: Caller, wanted: readonly Scope[]): boolean {
  return caller.scopes.has("admin") || wanted.some((scope) => caller.scopes.has(scope));
}
