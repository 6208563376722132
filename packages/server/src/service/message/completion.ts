// SPDX-License-Identifier: Apache-2.0

import type { ActivityCompletion, TurnCompletion } from "@pawl/engine";
import type { ActivityResult, TurnResult } from "@pawl/protocol";
import type { ActivityResponse, WorkflowResponse } from "@pawl/protocol/task-hub";
import { toFailureDetails } from "./failure.js";
import { unregisteredActivity, unregisteredWorkflow } from "./unregistered.js";

/** The result of a turn, from Pawl's worker. */
export function toTurnCompletion(result: TurnResult): TurnCompletion {
  const { instanceId, token, actions, customStatus, version: name, patches } = result;
  return {
    instanceId,
    token,
    actions,
    ...(customStatus === undefined ? {} : { customStatus }),
    ...(name === "" && patches.length === 0
      ? {}
      : { version: { patches, ...(name === "" ? {} : { name }) } }),
  };
}

/** The result of a turn, from a worker of the sidecar service. `strict`: a refusal is a failure. */
export function fromWorkflowResponse(response: WorkflowResponse, strict: boolean): TurnCompletion {
  const { instanceId, completionToken, actions, customStatus, version } = response;
  const unregistered = strict ? undefined : unregisteredWorkflow(actions);
  return {
    instanceId,
    token: completionToken,
    actions,
    ...(customStatus === undefined ? {} : { customStatus }),
    ...(version === undefined
      ? {}
      : {
          version: {
            patches: version.patches,
            ...(version.name === undefined ? {} : { name: version.name }),
          },
        }),
    ...(unregistered === undefined ? {} : { unregistered }),
  };
}

/** The result of an activity, from Pawl's worker. */
export function toActivityCompletion(result: ActivityResult): ActivityCompletion {
  const { instanceId, taskId, token, output, failure } = result;
  return {
    instanceId,
    taskId,
    token,
    ...(output === undefined ? {} : { output }),
    ...(failure === undefined ? {} : { failure: toFailureDetails(failure) }),
  };
}

/** The result of an activity, from a worker of the sidecar service. `strict`: a refusal is a failure. */
export function fromActivityResponse(
  response: ActivityResponse,
  strict: boolean,
): ActivityCompletion {
  const { instanceId, taskId, completionToken, result, failureDetails } = response;
  const unregistered =
    strict || failureDetails === undefined ? undefined : unregisteredActivity(failureDetails);
  return {
    instanceId,
    taskId,
    token: completionToken,
    ...(result === undefined ? {} : { output: result }),
    ...(failureDetails === undefined ? {} : { failure: failureDetails }),
    ...(unregistered === undefined ? {} : { unregistered }),
  };
}
