# SPDX-License-Identifier: Apache-2.0
"""A gate that holds an activity until the test opens it."""

from pathlib import Path

from waiting import wait_until


class Gate:
    """A file: absent while the gate is closed. Works across processes and their restarts."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "gate-is-open"

    def open(self) -> None:
        self._path.touch()

    def wait(self) -> None:
        wait_until(self._path.exists, "the gate to open", timeout_seconds=60)
