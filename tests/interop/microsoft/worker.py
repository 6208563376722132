# SPDX-License-Identifier: Apache-2.0
"""A worker of Microsoft's Python SDK: `python worker.py PORT` prints `worker ready`.

It has what the JavaScript worker of the suite has, under names of its own.
"""

import signal
import sys
from datetime import timedelta

from durabletask import task, worker


def python_add_one(_ctx: task.ActivityContext, number: int) -> int:
    return number + 1


def python_fail(_ctx: task.ActivityContext, text: str) -> None:
    raise RuntimeError(text)


tries: dict[str, int] = {}


def python_third_time(_ctx: task.ActivityContext, key: str) -> str:
    tries[key] = tries.get(key, 0) + 1
    if tries[key] < 3:
        raise RuntimeError("not yet")
    return f"{tries[key]} tries"


def python_chain(ctx: task.OrchestrationContext, number: int):
    ctx.set_custom_status("adding")
    for _ in range(3):
        number = yield ctx.call_activity(python_add_one, input=number)
    return number


def python_fan_out(ctx: task.OrchestrationContext, count: int):
    tasks = [ctx.call_activity(python_add_one, input=number) for number in range(count)]
    results = yield task.when_all(tasks)
    return sum(results)


def python_wait(ctx: task.OrchestrationContext, _input):
    answer = yield ctx.wait_for_external_event("answer")
    return answer


def python_nap(ctx: task.OrchestrationContext, seconds: float):
    yield ctx.create_timer(timedelta(seconds=seconds))
    return "woke"


def python_parent(ctx: task.OrchestrationContext, number: int):
    result = yield ctx.call_sub_orchestrator(python_chain, input=number)
    return result


def python_countdown(ctx: task.OrchestrationContext, left: int):
    yield ctx.call_activity(python_add_one, input=left)
    if left > 1:
        ctx.continue_as_new(left - 1)
        return None
    return "done"


def python_failing(ctx: task.OrchestrationContext, text: str):
    yield ctx.call_activity(python_fail, input=text)


def python_retried(ctx: task.OrchestrationContext, text: str):
    for attempt in range(3):
        try:
            yield ctx.call_activity(python_fail, input=text)
        except task.TaskFailedError as error:
            if attempt == 2:
                return f"in vain: {error.details.message}"
            yield ctx.create_timer(timedelta(milliseconds=50))


POLICY = task.RetryPolicy(
    first_retry_interval=timedelta(milliseconds=50), max_number_of_attempts=3
)


def python_policy(ctx: task.OrchestrationContext, text: str):
    key = f"{ctx.instance_id} {text}"
    result = yield ctx.call_activity(python_third_time, input=key, retry_policy=POLICY)
    return result


def python_given_up(ctx: task.OrchestrationContext, text: str):
    yield ctx.call_activity(python_fail, input=text, retry_policy=POLICY)


def python_calls(ctx: task.OrchestrationContext, name: str):
    result = yield ctx.call_activity(name, input=41)
    return result


ORCHESTRATORS = [
    python_chain,
    python_fan_out,
    python_wait,
    python_nap,
    python_parent,
    python_countdown,
    python_failing,
    python_retried,
    python_policy,
    python_given_up,
    python_calls,
]


def main() -> None:
    # Blocked before any thread starts, so that only `sigwait` below sees them.
    stop_signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    with worker.TaskHubGrpcWorker(host_address=f"127.0.0.1:{sys.argv[1]}") as hub:
        hub.add_activity(python_add_one)
        hub.add_activity(python_fail)
        hub.add_activity(python_third_time)
        for orchestrator in ORCHESTRATORS:
            hub.add_orchestrator(orchestrator)
        hub.start()
        print("worker ready", flush=True)
        signal.sigwait(stop_signals)


if __name__ == "__main__":
    main()
