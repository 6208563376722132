# SPDX-License-Identifier: Apache-2.0
"""What the client sees of a workflow that failed."""

import pytest
from dapr.ext.workflow import DaprWorkflowClient, WorkflowStatus

from call_log import CallLog
from outcome import wait_for_end


def test_failed_workflow_shows_type_message_and_stack_of_its_error(
    client: DaprWorkflowClient, instance_id: str
) -> None:
    client.schedule_new_workflow("broken", input="no luck today", instance_id=instance_id)
    state = wait_for_end(client, instance_id)

    assert state.runtime_status is WorkflowStatus.FAILED
    assert state.failure_details.error_type == "ValueError"
    assert state.failure_details.message == "no luck today"
    assert "in broken" in state.failure_details.stack_trace
    with pytest.raises(Exception, match="no luck today"):
        state.raise_if_failed()


def test_activity_failure_that_nobody_catches_fails_the_workflow(
    client: DaprWorkflowClient, calls: CallLog, instance_id: str
) -> None:
    client.schedule_new_workflow("uncaught", input="disk on fire", instance_id=instance_id)
    state = wait_for_end(client, instance_id)

    assert state.runtime_status is WorkflowStatus.FAILED
    assert "disk on fire" in state.failure_details.message
    assert len(calls.of(instance_id, "fail_always")) == 1


def test_workflow_that_no_worker_knows_fails(client: DaprWorkflowClient, instance_id: str) -> None:
    client.schedule_new_workflow("nobody_wrote_this", instance_id=instance_id)
    state = wait_for_end(client, instance_id)

    assert state.runtime_status is WorkflowStatus.FAILED
    assert "nobody_wrote_this" in state.failure_details.message
