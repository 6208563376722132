// SPDX-License-Identifier: Apache-2.0

import { type ContextValues, createContextKey, type HandlerContext } from "@connectrpc/connect";
import { componentHeader } from "../component/name.js";
import { type HasNodeHeaders, nodeHeaders } from "./headers.js";

type NodeHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

const componentKey = createContextKey("", { description: "component" });

/**
 * Says in a call's values which component it is for, where only headers in the web's form are at hand
 * later on, which would cost every call.
 */
export function nameComponent(values: ContextValues, headers: NodeHeaders): ContextValues {
  const name = headers[componentHeader];
  return name === undefined ? values : values.set(componentKey, String(name));
}

/** The component that a call's header names; empty: it names none. */
export function namedComponent(context: HandlerContext & HasNodeHeaders): string {
  const headers: NodeHeaders | undefined = context[nodeHeaders];
  if (headers === undefined) return context.values.get(componentKey);
  return String(headers[componentHeader] ?? "");
}
