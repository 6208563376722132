# SPDX-License-Identifier: Apache-2.0
"""The server and the worker as processes of their own, to be started, stopped and killed."""

import os
import queue
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
START_SECONDS = 60
STOP_SECONDS = 15


def find_free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class ReadyProcess:
    """A process that says with one line on stdout that it is ready for work."""

    def __init__(self, command: list[str], ready_text: str) -> None:
        self._command = command
        self._ready_text = ready_text
        self._process: subprocess.Popen[str] | None = None
        self._output: list[str] = []

    def start(self) -> None:
        """Returns once the ready line was printed."""
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=HERE,
        )
        reached_ready: queue.Queue[bool] = queue.Queue()
        threading.Thread(
            target=self._read_output, args=(self._process, reached_ready), daemon=True
        ).start()
        try:
            is_ready = reached_ready.get(timeout=START_SECONDS)
        except queue.Empty:
            is_ready = False
        if not is_ready:
            self.kill()
            raise RuntimeError(f"not ready: {' '.join(self._command)}\n{self.output}")

    def stop(self) -> None:
        """Ends the process by SIGTERM; by SIGKILL when it does not obey."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Ends the process by SIGKILL: it has no chance to finish anything."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)

    @property
    def output(self) -> str:
        """All that the process printed so far, over all its starts."""
        return "".join(self._output)

    def _read_output(
        self, process: subprocess.Popen[str], reached_ready: queue.Queue[bool]
    ) -> None:
        for line in process.stdout:
            self._output.append(line)
            if self._ready_text in line:
                reached_ready.put(True)
        reached_ready.put(False)


class ServerProcess(ReadyProcess):
    """A Pawl server on ports and a data folder that stay the same over restarts."""

    def __init__(self, data_dir: Path) -> None:
        self.port, self.grpc_port = find_free_ports(2)
        server = os.environ.get("PAWL_SERVER") or REPOSITORY / "packages/server/dist/main.js"
        pinned_node = REPOSITORY / "node_modules/.bin/node"
        node = str(pinned_node) if pinned_node.exists() else shutil.which("node") or "node"
        ports = ["--port", str(self.port), "--grpc-port", str(self.grpc_port)]
        command = [node, str(server), "serve", *ports, "--data", str(data_dir)]
        super().__init__(command, "pawl ready on ")


class WorkerProcess(ReadyProcess):
    """A process that runs `worker.py` with the SDK, told nothing but the port."""

    def __init__(self, port: int, state_dir: Path) -> None:
        command = [sys.executable, "-u", str(HERE / "worker.py")]
        super().__init__(
            [*command, "--port", str(port), "--state-dir", str(state_dir)], "worker ready"
        )
