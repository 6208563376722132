// SPDX-License-Identifier: Apache-2.0

import { type ContextValues, createContextKey } from "@connectrpc/connect";
import { componentHeader } from "../component/name.js";

/** The component that a call's header names; empty: it names none. */
export const componentKey = createContextKey("", { description: "component" });

/**
 * Says in a call's values which component it is for. Services read it there, as the headers in the
 * web's form would cost every call.
 */
export function nameComponent(
  values: ContextValues,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): ContextValues {
  const name = headers[componentHeader];
  return name === undefined ? values : values.set(componentKey, String(name));
}
