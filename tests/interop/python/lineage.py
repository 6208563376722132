# SPDX-License-Identifier: Apache-2.0
"""Workflows that hand their histories on, and an activity that says what it sees."""

from typing import Optional

import dapr.ext.workflow as wf
from dapr.ext.workflow.propagation import PropagatedHistory, PropagationScope


def say(_ctx: wf.WorkflowActivityContext, text: str) -> str:
    return text


def witness(ctx: wf.WorkflowActivityContext) -> list[str]:
    return seen_in(ctx.get_propagated_history())


def ancestor(ctx: wf.DaprWorkflowContext):
    """Gives a child its history, once it has one, and gives what the child gave."""
    yield ctx.call_activity(say, input="above")
    seen = yield ctx.call_child_workflow(heir, propagation=PropagationScope.LINEAGE)
    return seen


def heir(ctx: wf.DaprWorkflowContext):
    """Gives what it sees of those above it, and what an activity sees that is given nothing, the
    heir's own history, and that of all."""
    seen = [seen_in(ctx.get_propagated_history())]
    yield ctx.call_activity(say, input="below")
    for scope in (None, PropagationScope.OWN_HISTORY, PropagationScope.LINEAGE):
        witnessed = yield ctx.call_activity(witness, propagation=scope)
        seen.append(witnessed)
    return seen


def seen_in(history: Optional[PropagatedHistory]) -> list[str]:
    """What the activities of each workflow of a history came to."""
    workflows = [] if history is None else history.get_workflows()
    return [
        f"{workflow.name} {said.output}"
        for workflow in workflows
        for said in workflow.get_activities_by_name("say")
    ]


def register(runtime: wf.WorkflowRuntime) -> None:
    runtime.register_activity(say)
    runtime.register_activity(witness)
    runtime.register_workflow(ancestor)
    runtime.register_workflow(heir)
