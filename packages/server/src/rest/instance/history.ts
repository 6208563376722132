// SPDX-License-Identifier: Apache-2.0

import { toJson } from "@bufbuild/protobuf";
import type { ManagementPort } from "@pawl/engine";
import { type HistoryEvent, HistoryEventSchema } from "@pawl/protocol";
import { callEngine } from "../early/error.js";
import type { RestHandler } from "../router.js";

/** GET …/workflows/{component}/{instanceID}/history: the events of the present execution. */
export function getHistory(engine: ManagementPort): RestHandler {
  return async ({ request, parameters }) => {
    request.resume();
    const instanceId = parameters.instanceID ?? "";
    const subject = { subject: instanceId, instanceId };
    const events = await callEngine("get", subject, () => engine.history(instanceId));
    return { status: 200, body: { events: events.map(toEventJson) } };
  };
}

/** An event in protobuf's JSON. */
export function toEventJson(event: HistoryEvent): unknown {
  return toJson(HistoryEventSchema, event);
}
