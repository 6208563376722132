// SPDX-License-Identifier: Apache-2.0

import { malformed } from "./malformed.js";
import type { RestCall } from "./router.js";

/** A query parameter that is `true` or `false`. Rejects with ERR_MALFORMED_REQUEST. */
export function parseFlag({ query }: RestCall, name: string, absent: boolean): boolean {
  const text = query.get(name);
  if (text === null) return absent;
  if (text === "true" || text === "") return true;
  if (text === "false") return false;
  throw malformed(`${name} is neither true nor false`);
}

/** A query parameter that is a number from 0 to `limit`. Rejects with ERR_MALFORMED_REQUEST. */
export function parseNumber({ query }: RestCall, name: string, limit: number): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (/^\d{1,9}(\.\d{1,3})?$/.test(text) && Number(text) <= limit) return Number(text);
  throw malformed(`${name} is not a number from 0 to ${limit}`);
}
