# SPDX-License-Identifier: Apache-2.0
"""Activities and child workflows: in a row, side by side, one in another, tried again."""

import json
from itertools import pairwise

from dapr.ext.workflow import DaprWorkflowClient, WorkflowStatus

from call_log import CallLog
from conftest import System
from outcome import wait_for_end, wait_for_output


def test_chain_of_three_activities_passes_each_result_on(
    client: DaprWorkflowClient, calls: CallLog, instance_id: str
) -> None:
    returned_id = client.schedule_new_workflow("chain", input=3, instance_id=instance_id)
    state = wait_for_end(client, instance_id)

    assert returned_id == instance_id
    assert state.runtime_status is WorkflowStatus.COMPLETED
    assert state.name == "chain"
    assert json.loads(state.serialized_input) == 3
    assert json.loads(state.serialized_output) == [4, 8, 64]
    assert state.serialized_custom_status == "squaring"
    assert state.failure_details is None
    assert [(call.activity, call.input) for call in calls.of(instance_id)] == [
        ("add_one", 3),
        ("double", 4),
        ("square", 8),
    ]


def test_chain_runs_for_a_client_on_the_second_port(system: System, instance_id: str) -> None:
    client = DaprWorkflowClient(port=str(system.server.grpc_port))
    try:
        client.schedule_new_workflow("chain", input=1, instance_id=instance_id)
        assert wait_for_output(client, instance_id) == [2, 4, 16]
    finally:
        client.close()


def test_fan_out_calls_100_activities_once_each(
    client: DaprWorkflowClient, calls: CallLog, instance_id: str
) -> None:
    client.schedule_new_workflow("fan_out", input=100, instance_id=instance_id)

    assert wait_for_output(client, instance_id) == sum(n * n for n in range(1, 101))
    inputs = [call.input for call in calls.of(instance_id, "square")]
    assert sorted(inputs) == list(range(1, 101))


def test_child_workflows_return_their_results_to_the_parent(
    client: DaprWorkflowClient, calls: CallLog, instance_id: str
) -> None:
    client.schedule_new_workflow("parent", input=[1, 2, 3], instance_id=instance_id)

    assert wait_for_output(client, instance_id) == [[2, 4, 16], [3, 6, 36], [4, 8, 64]]
    child_id = f"{instance_id}-child"
    assert wait_for_output(client, child_id) == [2, 4, 16]
    assert [call.activity for call in calls.of(child_id)] == ["add_one", "double", "square"]
    assert calls.of(instance_id) == []


def test_parent_catches_the_failure_of_its_child(
    client: DaprWorkflowClient, instance_id: str
) -> None:
    client.schedule_new_workflow("parent_of_broken", instance_id=instance_id)

    assert wait_for_output(client, instance_id) == "caught ValueError: child has no luck"


def test_retry_policy_calls_a_failing_activity_until_it_succeeds(
    client: DaprWorkflowClient, calls: CallLog, instance_id: str
) -> None:
    client.schedule_new_workflow("retried", input="done", instance_id=instance_id)

    assert wait_for_output(client, instance_id) == "done at attempt 3"
    attempts = calls.of(instance_id, "fail_twice")
    assert [call.input for call in attempts] == ["done"] * 3
    first_pause, second_pause = (after.at - before.at for before, after in pairwise(attempts))
    assert first_pause >= 0.5
    assert second_pause >= 1.0


def test_task_execution_id_is_the_same_for_every_attempt(
    client: DaprWorkflowClient, calls: CallLog, instance_id: str
) -> None:
    client.schedule_new_workflow("retried", input="done", instance_id=instance_id)
    wait_for_output(client, instance_id)

    execution_ids = {call.execution_id for call in calls.of(instance_id, "fail_twice")}
    assert len(execution_ids) == 1
    assert execution_ids != {""}


def test_retry_policy_gives_up_after_its_last_attempt(
    client: DaprWorkflowClient, calls: CallLog, instance_id: str
) -> None:
    client.schedule_new_workflow("retried_in_vain", input="never", instance_id=instance_id)
    state = wait_for_end(client, instance_id)

    assert state.runtime_status is WorkflowStatus.FAILED
    assert "never" in state.failure_details.message
    assert len(calls.of(instance_id, "fail_always")) == 3


def test_histories_are_handed_on_as_far_as_asked(
    client: DaprWorkflowClient, instance_id: str
) -> None:
    client.schedule_new_workflow("ancestor", instance_id=instance_id)

    above, below = 'ancestor "above"', 'heir "below"'
    assert wait_for_output(client, instance_id) == [[above], [], [below], [above, below]]
