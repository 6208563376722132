// SPDX-License-Identifier: Apache-2.0

import { DaprError } from "../dapr/error.js";
import type { RestHandler } from "./router.js";

/** GET /v1.0/healthz: 204 when the engine takes commands. */
export function getHealth(isReady: () => boolean, appId: string): RestHandler {
  return ({ request, query }) => {
    request.resume();
    const asked = query.get("appid");
    if (asked !== null && asked !== appId) {
      throw DaprError.of("ERR_HEALTH_APPID_NOT_MATCH", "dapr app-id does not match");
    }
    if (!isReady()) {
      throw DaprError.of("ERR_HEALTH_NOT_READY", "dapr is not ready: [store]");
    }
    return { status: 204 };
  };
}

/** GET /v1.0/healthz/outbound: SDKs wait for its 204 before they call anything. */
export function getOutboundHealth(isReady: () => boolean): RestHandler {
  return ({ request }) => {
    request.resume();
    if (!isReady()) {
      throw DaprError.of("ERR_OUTBOUND_HEALTH_NOT_READY", "dapr outbound is not ready");
    }
    return { status: 204 };
  };
}
