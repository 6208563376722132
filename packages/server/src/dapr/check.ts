// SPDX-License-Identifier: Apache-2.0

import { limits } from "@pawl/protocol";
import { DaprError } from "./error.js";

/** What Dapr allows in an instance id and an app id: letters and digits of any script, `_`, `-`. */
const allowed = /^[\p{L}\p{Nd}_-]*$/u;

/** Checks the id of a start. An empty one is fine: it will be made. */
export function checkNewInstanceId(instanceId: string): void {
  if (Buffer.byteLength(instanceId) > limits.restInstanceIdBytes) {
    throw DaprError.of(
      "ERR_INSTANCE_ID_TOO_LONG",
      `workflow instance ID exceeds the max length of ${limits.restInstanceIdBytes} characters`,
    );
  }
  if (!allowed.test(instanceId)) {
    throw DaprError.of(
      "ERR_INSTANCE_ID_INVALID",
      `workflow instance ID '${instanceId}' is invalid: only alphanumeric and underscore characters are allowed`,
    );
  }
}

/** Checks the id of any other operation: child ids have characters that a start refuses. */
export function checkInstanceId(instanceId: string): void {
  if (instanceId === "") {
    throw DaprError.of("ERR_INSTANCE_ID_PROVIDED_MISSING", "no instance ID was provided");
  }
}

/** Checks the name of a start. */
export function checkWorkflowName(name: string): void {
  if (name === "") {
    throw DaprError.of("ERR_WORKFLOW_NAME_MISSING", "workflow name is not configured");
  }
}

/** Checks the name of an event. */
export function checkEventName(name: string): void {
  if (name === "") {
    throw DaprError.of("ERR_WORKFLOW_EVENT_NAME_MISSING", "missing workflow event name");
  }
}

/** Checks the app id. There is one app here, so that a good one says nothing. */
export function checkAppId(appId: string | undefined): void {
  if (appId !== undefined && !allowed.test(appId)) {
    throw DaprError.of(
      "ERR_WORKFLOW_APP_ID_INVALID",
      `workflow app ID '${appId}' is invalid: only alphanumeric, dash and underscore characters are allowed`,
    );
  }
}
