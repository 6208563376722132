// SPDX-License-Identifier: Apache-2.0

import type { Components } from "../component/components.js";
import type { RestHandler } from "./router.js";
import { refuseUnknownPath } from "./unknown-path.js";

/**
 * Tells the two forms apart where their paths have the same shape: a first segment that names a
 * component is the shipped form (docs/rest.md). So is the name of one that is not served now: what was
 * meant for it must not become a workflow's type.
 */
export function byForm(
  components: Pick<Components, "isKnown">,
  shipped: RestHandler,
  early: RestHandler,
): RestHandler {
  return (call) =>
    components.isKnown(call.parameters.workflowComponent ?? "") ? shipped(call) : early(call);
}

/** Serves a path that only the early form has; with a component's name it leads nowhere. */
export function earlyOnly(
  components: Pick<Components, "isKnown">,
  early: RestHandler,
): RestHandler {
  return byForm(components, ({ request }) => refuseUnknownPath(request), early);
}
