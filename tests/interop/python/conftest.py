# SPDX-License-Identifier: Apache-2.0
"""Fixtures: one server and one worker for all tests that leave them alive."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dapr.ext.workflow import DaprWorkflowClient

from call_log import CallLog
from gate import Gate
from processes import ServerProcess, WorkerProcess


@dataclass(frozen=True)
class System:
    """A server with its worker, and what both leave behind."""

    server: ServerProcess
    worker: WorkerProcess
    calls: CallLog
    gate: Gate


def run_system(directory: Path) -> Iterator[System]:
    """Starts a server and a worker with folders of their own; stops both afterwards."""
    state_dir = directory / "state"
    state_dir.mkdir()
    server = ServerProcess(directory / "data")
    worker = WorkerProcess(server.port, state_dir)
    gate = Gate(state_dir)
    try:
        server.start()
        worker.start()
        yield System(server, worker, CallLog(state_dir), gate)
    finally:
        gate.open()
        worker.stop()
        server.stop()
        # Shown by pytest when the test failed.
        print(f"--- server\n{server.output}\n--- worker\n{worker.output}")


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The server and the worker that all tests share which do not kill them."""
    yield from run_system(tmp_path_factory.mktemp("system"))


@pytest.fixture
def own_system(tmp_path: Path) -> Iterator[System]:
    """A server and a worker of the test's own, to be killed."""
    yield from run_system(tmp_path)


@pytest.fixture(scope="session")
def client(system: System) -> Iterator[DaprWorkflowClient]:
    client = DaprWorkflowClient(port=str(system.server.port))
    yield client
    client.close()


@pytest.fixture
def own_client(own_system: System) -> Iterator[DaprWorkflowClient]:
    client = DaprWorkflowClient(port=str(own_system.server.port))
    yield client
    client.close()


@pytest.fixture(scope="session")
def calls(system: System) -> CallLog:
    """The activity calls of the shared worker."""
    return system.calls


@pytest.fixture
def instance_id() -> str:
    """An instance ID that no other test uses."""
    return uuid.uuid4().hex
