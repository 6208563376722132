// SPDX-License-Identifier: Apache-2.0

import type { RestCall, RestHandler } from "./router.js";
import { refuseUnknownPath } from "./unknown-path.js";

/** Names of workflow components. `dapr`, the built-in engine, always is one. */
const components: ReadonlySet<string> = new Set(["dapr"]);

/** Whether the path's first variable names a component, and not a workflow type. */
function hasComponent(call: RestCall): boolean {
  return components.has(call.parameters.workflowComponent ?? "");
}

/**
 * Tells the two forms apart where their paths have the same shape: a first segment that names a
 * component is the shipped form (http-and-grpc-api 1.6).
 */
export function byForm(shipped: RestHandler, early: RestHandler): RestHandler {
  return (call) => (hasComponent(call) ? shipped(call) : early(call));
}

/** Serves a path that only the early form has; with a component's name it leads nowhere. */
export function earlyOnly(early: RestHandler): RestHandler {
  return byForm(({ request }) => refuseUnknownPath(request), early);
}
