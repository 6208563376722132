// SPDX-License-Identifier: Apache-2.0

import type { Components } from "../component/components.js";
import { builtInName } from "../component/name.js";
import { DaprError } from "../dapr/error.js";
import type { RestHandler } from "./router.js";

/** GET /v1.0/healthz: 204 when the engine of every component takes commands. */
export function getHealth(components: Components, appId: string): RestHandler {
  return ({ request, query }) => {
    request.resume();
    const asked = query.get("appid");
    if (asked !== null && asked !== appId) {
      throw DaprError.of("ERR_HEALTH_APPID_NOT_MATCH", "dapr app-id does not match");
    }
    const unready = components.unready();
    if (unready.length > 0) {
      const targets = unready.map((name) => (name === builtInName ? "store" : `store of ${name}`));
      throw DaprError.of("ERR_HEALTH_NOT_READY", `dapr is not ready: [${targets.join(" ")}]`);
    }
    return { status: 204 };
  };
}

/** GET /v1.0/healthz/outbound: SDKs wait for its 204 before they call anything. */
export function getOutboundHealth(components: Components): RestHandler {
  return ({ request }) => {
    request.resume();
    if (components.unready().length > 0) {
      throw DaprError.of("ERR_OUTBOUND_HEALTH_NOT_READY", "dapr outbound is not ready");
    }
    return { status: 204 };
  };
}
