# SPDX-License-Identifier: Apache-2.0
"""The workflows and activities of the suite, and the process that runs them.

`python worker.py --port N --state-dir DIR` prints `worker ready` once its stream to the server
is open, and works until SIGTERM. Every activity records its call in DIR before it does anything
else, so that calls are counted across processes.
"""

import argparse
import signal
from datetime import timedelta
from pathlib import Path

import dapr.ext.workflow as wf

from call_log import CallLog
from gate import Gate
import lineage
import relay

STATE_DIR = Path()


def record(ctx: wf.WorkflowActivityContext, activity: str, input: object = None) -> None:
    execution_id = ctx.get_inner_context().task_execution_id
    CallLog(STATE_DIR).append(activity, ctx.workflow_id, input, execution_id)


# Activities


def add_one(ctx: wf.WorkflowActivityContext, number: int) -> int:
    record(ctx, "add_one", number)
    return number + 1


def double(ctx: wf.WorkflowActivityContext, number: int) -> int:
    record(ctx, "double", number)
    return number * 2


def square(ctx: wf.WorkflowActivityContext, number: int) -> int:
    record(ctx, "square", number)
    return number * number


def file_decision(ctx: wf.WorkflowActivityContext, decision: str) -> str:
    record(ctx, "file_decision", decision)
    return f"filed {decision}"


def fail_twice(ctx: wf.WorkflowActivityContext, text: str) -> str:
    record(ctx, "fail_twice", text)
    attempt = len(CallLog(STATE_DIR).of(ctx.workflow_id, "fail_twice"))
    if attempt <= 2:
        raise RuntimeError(f"attempt {attempt} fails")
    return f"{text} at attempt {attempt}"


def fail_always(ctx: wf.WorkflowActivityContext, text: str) -> None:
    record(ctx, "fail_always", text)
    raise RuntimeError(text)


def pass_gate(ctx: wf.WorkflowActivityContext, number: int) -> int:
    record(ctx, "pass_gate", number)
    Gate(STATE_DIR).wait()
    return number * 10


# Workflows


def chain(ctx: wf.DaprWorkflowContext, number: int):
    ctx.set_custom_status("adding")
    first = yield ctx.call_activity(add_one, input=number)
    second = yield ctx.call_activity(double, input=first)
    ctx.set_custom_status("squaring")
    third = yield ctx.call_activity(square, input=second)
    return [first, second, third]


def fan_out(ctx: wf.DaprWorkflowContext, count: int):
    squares = yield wf.when_all(
        [ctx.call_activity(square, input=number) for number in range(1, count + 1)]
    )
    return sum(squares)


def approval(ctx: wf.DaprWorkflowContext, timeout_seconds: float):
    decision = ctx.wait_for_external_event("decision")
    expiry = ctx.create_timer(timedelta(seconds=timeout_seconds))
    winner = yield wf.when_any([decision, expiry])
    if winner is expiry:
        return "expired"
    filed = yield ctx.call_activity(file_decision, input=decision.get_result())
    return filed


def wait_with_timeout(ctx: wf.DaprWorkflowContext, timeout_seconds: float):
    try:
        decision = yield ctx.wait_for_external_event(
            "decision", timeout=timedelta(seconds=timeout_seconds)
        )
    except TimeoutError:
        return "expired"
    return decision


def nap(ctx: wf.DaprWorkflowContext, seconds: float):
    start = ctx.current_utc_datetime
    yield ctx.create_timer(timedelta(seconds=seconds))
    return (ctx.current_utc_datetime - start).total_seconds()


def parent(ctx: wf.DaprWorkflowContext, numbers: list[int]):
    named = yield ctx.call_child_workflow(
        chain, input=numbers[0], instance_id=f"{ctx.instance_id}-child"
    )
    rest = yield wf.when_all(
        [ctx.call_child_workflow(chain, input=number) for number in numbers[1:]]
    )
    return [named, *rest]


def parent_of_broken(ctx: wf.DaprWorkflowContext):
    try:
        yield ctx.call_child_workflow(broken, input="child has no luck")
    except wf.TaskFailedError as error:
        return f"caught {error.details.error_type}: {error.details.message}"


def parent_of_waiting(ctx: wf.DaprWorkflowContext):
    yield ctx.call_child_workflow(approval, input=60, instance_id=f"{ctx.instance_id}-child")


def retried(ctx: wf.DaprWorkflowContext, text: str):
    policy = wf.RetryPolicy(
        first_retry_interval=timedelta(milliseconds=500),
        backoff_coefficient=2,
        max_number_of_attempts=3,
    )
    result = yield ctx.call_activity(fail_twice, input=text, retry_policy=policy)
    return result


def retried_in_vain(ctx: wf.DaprWorkflowContext, text: str):
    policy = wf.RetryPolicy(
        first_retry_interval=timedelta(milliseconds=100), max_number_of_attempts=3
    )
    yield ctx.call_activity(fail_always, input=text, retry_policy=policy)


def countdown(ctx: wf.DaprWorkflowContext, state: dict):
    value = yield ctx.call_activity(add_one, input=state["left"])
    seen = [*state["seen"], value]
    if state["left"] == 1:
        return seen
    ctx.continue_as_new({"left": state["left"] - 1, "seen": seen})


def collect(ctx: wf.DaprWorkflowContext, items: list[str]):
    item = yield ctx.wait_for_external_event("item")
    collected = [*items, item]
    if len(collected) == 3:
        return collected
    ctx.continue_as_new(collected, save_events=True)


def broken(ctx: wf.DaprWorkflowContext, text: str):
    yield ctx.call_activity(add_one, input=1)
    raise ValueError(text)


def uncaught(ctx: wf.DaprWorkflowContext, text: str):
    yield ctx.call_activity(fail_always, input=text)


def gated(ctx: wf.DaprWorkflowContext, number: int):
    before = yield ctx.call_activity(add_one, input=number)
    passed = yield ctx.call_activity(pass_gate, input=before)
    after = yield ctx.call_activity(double, input=passed)
    return [before, passed, after]


ACTIVITIES = [add_one, double, square, file_decision, fail_twice, fail_always, pass_gate]
WORKFLOWS = [
    chain,
    fan_out,
    approval,
    wait_with_timeout,
    nap,
    parent,
    parent_of_broken,
    parent_of_waiting,
    retried,
    retried_in_vain,
    countdown,
    collect,
    broken,
    uncaught,
    gated,
]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", required=True)
    parser.add_argument("--state-dir", required=True, type=Path)
    options = parser.parse_args()
    global STATE_DIR
    STATE_DIR = options.state_dir

    # Blocked before any thread starts, so that only `sigwait` below sees them.
    stop_signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)

    runtime = wf.WorkflowRuntime(port=options.port)
    for activity in ACTIVITIES:
        runtime.register_activity(activity)
    for workflow in WORKFLOWS:
        runtime.register_workflow(workflow)
    lineage.register(runtime)
    relay.register(runtime, STATE_DIR)
    runtime.start()
    print("worker ready", flush=True)
    signal.sigwait(stop_signals)
    runtime.shutdown()


if __name__ == "__main__":
    main()
