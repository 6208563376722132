# SPDX-License-Identifier: Apache-2.0
"""External events, timers, races between them, and generations that continue as new."""

import time

import pytest
from dapr.ext.workflow import DaprWorkflowClient

from call_log import CallLog
from outcome import wait_for_output


def test_event_in_time_wins_the_race_against_the_timer(
    client: DaprWorkflowClient, calls: CallLog, instance_id: str
) -> None:
    client.schedule_new_workflow("approval", input=60, instance_id=instance_id)
    client.raise_workflow_event(instance_id, "decision", data="approved")

    assert wait_for_output(client, instance_id) == "filed approved"
    assert [call.input for call in calls.of(instance_id)] == ["approved"]


def test_timer_wins_the_race_when_no_event_comes(
    client: DaprWorkflowClient, calls: CallLog, instance_id: str
) -> None:
    client.schedule_new_workflow("approval", input=1, instance_id=instance_id)

    assert wait_for_output(client, instance_id) == "expired"
    assert calls.of(instance_id) == []


@pytest.mark.parametrize("event_name", ["decision", "DECISION"])
def test_event_ends_a_wait_that_has_a_timeout(
    client: DaprWorkflowClient, instance_id: str, event_name: str
) -> None:
    client.schedule_new_workflow("wait_with_timeout", input=60, instance_id=instance_id)
    client.raise_workflow_event(instance_id, event_name, data={"by": "Ada", "ok": True})

    assert wait_for_output(client, instance_id) == {"by": "Ada", "ok": True}


def test_wait_with_a_timeout_raises_when_no_event_comes(
    client: DaprWorkflowClient, instance_id: str
) -> None:
    client.schedule_new_workflow("wait_with_timeout", input=1, instance_id=instance_id)

    assert wait_for_output(client, instance_id) == "expired"


def test_timer_fires_no_earlier_than_asked(client: DaprWorkflowClient, instance_id: str) -> None:
    start = time.monotonic()
    client.schedule_new_workflow("nap", input=2, instance_id=instance_id)
    slept_seconds = wait_for_output(client, instance_id)
    waited_seconds = time.monotonic() - start

    assert slept_seconds >= 2
    assert waited_seconds >= 2


def test_continue_as_new_hands_its_input_to_five_generations(
    client: DaprWorkflowClient, calls: CallLog, instance_id: str
) -> None:
    client.schedule_new_workflow(
        "countdown", input={"left": 5, "seen": []}, instance_id=instance_id
    )

    assert wait_for_output(client, instance_id) == [6, 5, 4, 3, 2]
    assert [call.input for call in calls.of(instance_id)] == [5, 4, 3, 2, 1]


def test_continue_as_new_keeps_events_that_were_not_yet_taken(
    client: DaprWorkflowClient, instance_id: str
) -> None:
    client.schedule_new_workflow("collect", input=[], instance_id=instance_id)
    for item in ["first", "second", "third"]:
        client.raise_workflow_event(instance_id, "item", data=item)

    assert wait_for_output(client, instance_id) == ["first", "second", "third"]
