# SPDX-License-Identifier: Apache-2.0
"""The control verbs: terminate, suspend, resume, purge, and starting under a taken ID."""

import json

import grpc
import pytest
from dapr.ext.workflow import DaprWorkflowClient, WorkflowStatus

from call_log import CallLog
from outcome import status_of, wait_for_end, wait_for_output


def test_terminate_ends_a_waiting_workflow_with_the_given_output(
    client: DaprWorkflowClient, calls: CallLog, instance_id: str
) -> None:
    client.schedule_new_workflow("approval", input=60, instance_id=instance_id)
    client.terminate_workflow(instance_id, output="stopped by the test")
    state = wait_for_end(client, instance_id)

    assert state.runtime_status is WorkflowStatus.TERMINATED
    assert json.loads(state.serialized_output) == "stopped by the test"
    assert calls.of(instance_id) == []


def test_terminate_reaches_child_workflows(client: DaprWorkflowClient, instance_id: str) -> None:
    child_id = f"{instance_id}-child"
    client.schedule_new_workflow("parent_of_waiting", instance_id=instance_id)
    client.wait_for_workflow_start(child_id, timeout_in_seconds=30)
    client.terminate_workflow(instance_id)

    assert wait_for_end(client, instance_id).runtime_status is WorkflowStatus.TERMINATED
    assert wait_for_end(client, child_id).runtime_status is WorkflowStatus.TERMINATED


def test_event_raised_while_suspended_is_held_until_resume(
    client: DaprWorkflowClient, calls: CallLog, instance_id: str
) -> None:
    client.schedule_new_workflow("approval", input=60, instance_id=instance_id)
    client.pause_workflow(instance_id)
    assert status_of(client, instance_id) is WorkflowStatus.SUSPENDED

    client.raise_workflow_event(instance_id, "decision", data="approved")
    with pytest.raises(TimeoutError):
        client.wait_for_workflow_completion(instance_id, timeout_in_seconds=2)
    assert status_of(client, instance_id) is WorkflowStatus.SUSPENDED
    assert calls.of(instance_id) == []

    client.resume_workflow(instance_id)
    assert wait_for_output(client, instance_id) == "filed approved"
    assert len(calls.of(instance_id, "file_decision")) == 1


def test_resume_lets_a_suspended_workflow_go_on_waiting(
    client: DaprWorkflowClient, instance_id: str
) -> None:
    client.schedule_new_workflow("approval", input=60, instance_id=instance_id)
    client.pause_workflow(instance_id)
    client.resume_workflow(instance_id)
    assert status_of(client, instance_id) is WorkflowStatus.RUNNING

    client.raise_workflow_event(instance_id, "decision", data="late")
    assert wait_for_output(client, instance_id) == "filed late"


def test_purged_instance_is_gone(client: DaprWorkflowClient, instance_id: str) -> None:
    client.schedule_new_workflow("chain", input=3, instance_id=instance_id)
    wait_for_output(client, instance_id)
    client.purge_workflow(instance_id)

    assert client.get_workflow_state(instance_id) is None


def test_purge_of_a_running_instance_is_refused(
    client: DaprWorkflowClient, instance_id: str
) -> None:
    client.schedule_new_workflow("approval", input=60, instance_id=instance_id)
    with pytest.raises(grpc.RpcError):
        client.purge_workflow(instance_id)

    assert status_of(client, instance_id) is WorkflowStatus.RUNNING


def test_state_of_an_unknown_instance_is_none(client: DaprWorkflowClient, instance_id: str) -> None:
    assert client.get_workflow_state(instance_id) is None


def test_start_under_the_id_of_an_active_instance_is_refused(
    client: DaprWorkflowClient, calls: CallLog, instance_id: str
) -> None:
    client.schedule_new_workflow("approval", input=60, instance_id=instance_id)
    with pytest.raises(grpc.RpcError) as refusal:
        client.schedule_new_workflow("chain", input=3, instance_id=instance_id)
    assert refusal.value.code() is grpc.StatusCode.ALREADY_EXISTS
    assert "already exists" in refusal.value.details()

    client.raise_workflow_event(instance_id, "decision", data="approved")
    assert wait_for_output(client, instance_id) == "filed approved"
    assert [call.activity for call in calls.of(instance_id)] == ["file_decision"]


def test_id_of_a_finished_instance_starts_a_new_one(
    client: DaprWorkflowClient, calls: CallLog, instance_id: str
) -> None:
    client.schedule_new_workflow("chain", input=3, instance_id=instance_id)
    assert wait_for_output(client, instance_id) == [4, 8, 64]
    client.schedule_new_workflow("chain", input=1, instance_id=instance_id)

    assert wait_for_output(client, instance_id) == [2, 4, 16]
    assert [call.input for call in calls.of(instance_id, "add_one")] == [3, 1]
