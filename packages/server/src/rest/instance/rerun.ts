// SPDX-License-Identifier: Apache-2.0

import type { ManagementPort, RerunCommand } from "@pawl/engine";
import { z } from "zod";
import { checkNewInstanceId } from "../../dapr/check.js";
import { callEngine } from "../early/error.js";
import { memberText } from "../exact-json.js";
import { readJsonText } from "../json-body.js";
import type { RestHandler } from "../router.js";

/** What the body of a rerun is. */
export const rerunRequest = z.strictObject({
  eventId: z.number().int().min(0),
  newInstanceID: z.string().optional(),
  newChildInstanceID: z.string().optional(),
  input: z.unknown().optional(),
});

/**
 * POST …/workflows/{component}/{instanceID}/rerun: starts a new instance with the history of an ended
 * one up to the event `eventId`, which is done again; `input`, if it is there, is what that activity
 * or child gets. 202 with the new id, and where to look.
 */
export function rerunInstance(engine: ManagementPort): RestHandler {
  return async (call) => {
    const { value, text } = await readJsonText(call, rerunRequest);
    const { eventId, newInstanceID = "", newChildInstanceID = "" } = value;
    if (newInstanceID !== "") checkNewInstanceId(newInstanceID);
    const input = memberText(text, "input");
    const command: RerunCommand = {
      eventId,
      newInstanceId: newInstanceID,
      newChildInstanceId: newChildInstanceID,
      ...(input === undefined ? {} : { replaceInput: { input } }),
    };
    const instanceId = call.parameters.instanceID ?? "";
    const started = await callEngine("start", { subject: instanceId, instanceId }, () =>
      engine.rerun(instanceId, command),
    );
    const before = call.path.split("/").slice(0, -2).join("/");
    const location = `${before}/${encodeURIComponent(started.instanceId)}`;
    const headers = { location, "retry-after": "1" };
    return { status: 202, headers, body: { instanceID: started.instanceId } };
  };
}
