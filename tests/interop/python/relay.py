# SPDX-License-Identifier: Apache-2.0
"""A workflow and an activity for the suite of mixed languages: see tests/interop/mixed."""

from pathlib import Path

import dapr.ext.workflow as wf

STATE_DIR = Path()


def python_mark(_ctx: wf.WorkflowActivityContext, text: str) -> str:
    """Adds its name to the text, and writes down that it was called."""
    marked = f"{text} pythonMark"
    with (STATE_DIR / "marks.txt").open("a") as marks:
        marks.write(f"{marked}\n")
    return marked


def python_relay(ctx: wf.DaprWorkflowContext, input: dict):
    """Gives the text to each step in turn: an activity by its name, or another relay as a child."""
    text = input["text"]
    for step in input["steps"]:
        if step.endswith("Relay"):
            text = yield ctx.call_child_workflow(step, input={"text": text, "steps": []})
        else:
            text = yield ctx.call_activity(step, input=text)
    return f"{text} pythonRelay"


def register(runtime: wf.WorkflowRuntime, state_dir: Path) -> None:
    global STATE_DIR
    STATE_DIR = state_dir
    runtime.register_activity(python_mark, name="pythonMark")
    runtime.register_workflow(python_relay, name="pythonRelay")
