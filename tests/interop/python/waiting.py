# SPDX-License-Identifier: Apache-2.0
"""Bounded waiting for things that announce themselves in no other way."""

import time
from collections.abc import Callable

WAIT_SECONDS = 60


def wait_until(holds: Callable[[], bool], what: str, timeout_seconds: float = WAIT_SECONDS) -> None:
    """Returns once `holds()` is true; raises `TimeoutError` naming `what` when it never is."""
    deadline = time.monotonic() + timeout_seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout_seconds} s in vain for {what}")
        time.sleep(0.02)
