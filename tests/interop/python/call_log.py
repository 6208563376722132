# SPDX-License-Identifier: Apache-2.0
"""The record of every activity call, shared by all worker processes of one test."""

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from waiting import wait_until


@dataclass(frozen=True)
class Call:
    """One start of an activity, as the worker process saw it."""

    activity: str
    instance_id: str
    input: Any
    execution_id: str
    pid: int
    at: float


class CallLog:
    """A file of calls, one JSON line each, that several processes may append to."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "calls.jsonl"

    def append(self, activity: str, instance_id: str, input: Any, execution_id: str) -> None:
        call = Call(activity, instance_id, input, execution_id, os.getpid(), time.time())
        line = json.dumps(asdict(call)) + "\n"
        # One write in append mode: lines of several processes never mix, and a process that is
        # killed right after it leaves a whole line.
        fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(fd, line.encode())
        finally:
            os.close(fd)

    def of(self, instance_id: str, activity: str | None = None) -> list[Call]:
        """The calls made for one instance, oldest first; of one activity when it is named."""
        if not self._path.exists():
            return []
        # Without what follows the last line's end: a write may be under way.
        lines = self._path.read_text().split("\n")[:-1]
        calls = [Call(**json.loads(line)) for line in lines]
        return [
            call
            for call in calls
            if call.instance_id == instance_id and activity in (None, call.activity)
        ]

    def wait_for(self, instance_id: str, activity: str, count: int = 1) -> list[Call]:
        """The calls of one activity, once there are at least `count` of them."""
        wait_until(
            lambda: len(self.of(instance_id, activity)) >= count,
            f"{count} call(s) of {activity} for {instance_id}",
        )
        return self.of(instance_id, activity)
