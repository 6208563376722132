# SPDX-License-Identifier: Apache-2.0
"""Processes killed and started again: what was under way goes on, what was done stays done."""

import os

import grpc
import pytest
from dapr.ext.workflow import DaprWorkflowClient, WorkflowStatus

from conftest import System
from outcome import status_of, wait_for_output
from waiting import wait_until


def is_answering(client: DaprWorkflowClient) -> bool:
    """Whether the client's channel has come back; only the SDK's waits retry by themselves."""
    try:
        client.get_workflow_state("unknown")
    except grpc.RpcError:
        return False
    return True


def is_resumed(client: DaprWorkflowClient, instance_id: str) -> bool:
    try:
        client.resume_workflow(instance_id)
    except grpc.RpcError:
        return False
    return True


def resume(client: DaprWorkflowClient, instance_id: str) -> None:
    """While the worker may be away: a strict server, like Dapr's, then refuses it."""
    if "PAWL_STRICT_DAPR" in os.environ:
        wait_until(lambda: is_resumed(client, instance_id), "the worker to come back")
    else:
        client.resume_workflow(instance_id)


def test_workflow_finishes_after_its_worker_was_killed_in_an_activity(
    own_system: System, own_client: DaprWorkflowClient, instance_id: str
) -> None:
    own_client.schedule_new_workflow("gated", input=1, instance_id=instance_id)
    own_system.calls.wait_for(instance_id, "pass_gate")
    own_system.worker.kill()
    assert status_of(own_client, instance_id) is WorkflowStatus.RUNNING

    own_system.gate.open()
    own_system.worker.start()
    assert wait_for_output(own_client, instance_id) == [2, 20, 40]
    first, second = own_system.calls.of(instance_id, "pass_gate")
    assert first.pid != second.pid
    assert [call.input for call in own_system.calls.of(instance_id, "add_one")] == [1]
    assert [call.input for call in own_system.calls.of(instance_id, "double")] == [20]


def test_workflow_finishes_after_the_server_was_killed_in_an_activity(
    own_system: System, own_client: DaprWorkflowClient, instance_id: str
) -> None:
    own_client.schedule_new_workflow("gated", input=1, instance_id=instance_id)
    own_system.calls.wait_for(instance_id, "pass_gate")
    own_system.server.kill()
    own_system.gate.open()
    own_system.server.start()

    assert wait_for_output(own_client, instance_id) == [2, 20, 40]
    calls = own_system.calls
    # The result of the activity may be lost with the server; then it is called once more.
    assert len(calls.of(instance_id, "pass_gate")) in (1, 2)
    assert [call.input for call in calls.of(instance_id, "add_one")] == [1]
    assert [call.input for call in calls.of(instance_id, "double")] == [20]
    assert len({call.pid for call in calls.of(instance_id)}) == 1, "the worker was never replaced"


def test_worker_reconnects_after_the_server_was_stopped_and_started(
    own_system: System, own_client: DaprWorkflowClient, instance_id: str
) -> None:
    own_system.server.stop()
    own_system.server.start()
    wait_until(lambda: is_answering(own_client), "the server to answer")
    own_client.schedule_new_workflow("chain", input=3, instance_id=instance_id)

    assert wait_for_output(own_client, instance_id) == [4, 8, 64]


def test_timer_and_finished_results_outlive_a_killed_server(
    own_system: System, own_client: DaprWorkflowClient, instance_id: str
) -> None:
    finished_id = f"{instance_id}-finished"
    own_client.schedule_new_workflow("chain", input=3, instance_id=finished_id)
    assert wait_for_output(own_client, finished_id) == [4, 8, 64]
    own_client.schedule_new_workflow("nap", input=3, instance_id=instance_id)
    with pytest.raises(TimeoutError):
        own_client.wait_for_workflow_completion(instance_id, timeout_in_seconds=1)
    own_system.server.kill()
    own_system.server.start()

    assert wait_for_output(own_client, instance_id) >= 3
    assert wait_for_output(own_client, finished_id) == [4, 8, 64]
    assert len(own_system.calls.of(finished_id)) == 3


def test_event_raised_before_the_server_was_killed_is_not_lost(
    own_system: System, own_client: DaprWorkflowClient, instance_id: str
) -> None:
    own_client.schedule_new_workflow("approval", input=60, instance_id=instance_id)
    own_client.pause_workflow(instance_id)
    own_client.raise_workflow_event(instance_id, "decision", data="approved")
    own_system.server.kill()
    own_system.server.start()
    wait_until(lambda: is_answering(own_client), "the server to answer")
    assert status_of(own_client, instance_id) is WorkflowStatus.SUSPENDED

    resume(own_client, instance_id)
    assert wait_for_output(own_client, instance_id) == "filed approved"
    assert [call.input for call in own_system.calls.of(instance_id)] == ["approved"]
