# SPDX-License-Identifier: Apache-2.0
"""Reading how an instance ended."""

import json
from typing import Any

from dapr.ext.workflow import DaprWorkflowClient, WorkflowState, WorkflowStatus

from waiting import WAIT_SECONDS


def wait_for_end(client: DaprWorkflowClient, instance_id: str) -> WorkflowState:
    """The state of the instance once it has finished in whatever way."""
    state = client.wait_for_workflow_completion(instance_id, timeout_in_seconds=WAIT_SECONDS)
    assert state is not None
    return state


def wait_for_output(client: DaprWorkflowClient, instance_id: str) -> Any:
    """The output of the instance once it has completed; fails when it ended otherwise."""
    state = wait_for_end(client, instance_id)
    assert state.runtime_status is WorkflowStatus.COMPLETED, state
    return json.loads(state.serialized_output)


def status_of(client: DaprWorkflowClient, instance_id: str) -> WorkflowStatus:
    """The status of an instance that must exist."""
    state = client.get_workflow_state(instance_id)
    assert state is not None
    return state.runtime_status
