// SPDX-License-Identifier: Apache-2.0

import type { HandlerContext } from "@connectrpc/connect";

/** True when the caller of a stream reads JSON. */
export function isJsonCall(context: HandlerContext): boolean {
  return context.requestHeader.get("content-type")?.includes("json") === true;
}
