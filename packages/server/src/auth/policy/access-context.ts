// SPDX-License-Identifier: Apache-2.0

import { AsyncLocalStorage } from "node:async_hooks";
import type { Caller } from "../caller.js";
import type { Operation } from "../operation.js";

/** Who is asking for what, in the request that is being answered. */
export interface RequestAccess {
  readonly caller: Caller;
  /** `undefined`: the path leads nowhere. */
  readonly operation: Operation | undefined;
}

const storage = new AsyncLocalStorage<RequestAccess>();

/** Runs what answers a request, and all that follows from it. */
export function runWithAccess<T>(access: RequestAccess, run: () => T): T {
  return storage.run(access, run);
}

/** Who is asking for what. Outside of a request there is nobody, who may do nothing. */
export function currentAccess(): RequestAccess | undefined {
  return storage.getStore();
}
