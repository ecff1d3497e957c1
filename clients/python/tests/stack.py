"""A real FluidMCP with mock models, as a process."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import httpx

REPOSITORY = Path(__file__).resolve().parents[3]
PATIENCE = 120.0  # seconds that a state may take to come on a busy machine

LLM, SLOW, SLASHED, SPARE = "mock-llm", "slow", "acme/mock-7b", "spare"


class Stack:
    """The addresses of a running FluidMCP, and a look inside."""

    def __init__(self, gateway: str, mocks: dict[str, str]) -> None:
        self.gateway = gateway
        self._mocks = mocks

    def faults(self, *rules: dict[str, Any], model: str = LLM) -> None:
        """Let a model misbehave; see services/mockvllm/README.md."""
        httpx.put(f"{self._mocks[model]}/mock/faults", json={"rules": rules}).raise_for_status()

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of the gateway's series that have all the labels."""
        found = 0.0
        for line in httpx.get(f"{self.gateway}/metrics").text.splitlines():
            series, _, value = line.rpartition(" ")
            if re.match(rf"{name}(\{{|$)", series) and all(f'{k}="{v}"' in series for k, v in labels.items()):
                found += float(value)
        return found

    def model(self, name: str) -> Any:
        """Return a model's status, without the client under test."""
        return httpx.get(f"{self.gateway}/api/llm/models/{name.replace('/', '%2F')}").raise_for_status().json()

    def wait_restarts(self, name: str, count: int) -> None:
        """Wait until a model has been started anew so often."""
        wait_until(lambda: bool(self.model(name)["restarts"] == count), f"{name} was restarted {count} times")

    def wait_phase(self, name: str, phase: str) -> Any:
        """Wait until a model is in a phase and the gateway knows it; return the model's status."""

        def known() -> bool:
            cards = httpx.get(f"{self.gateway}/v1/models").json()["data"]
            gateways = {card["id"]: card["phase"] for card in cards}
            return bool(self.model(name)["phase"] == gateways[name] == phase)

        wait_until(known, f"{name} is {phase}")
        return self.model(name)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Ask again and again until the condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not within {PATIENCE:g} s: {what}"
        time.sleep(0.02)


def free_ports(count: int) -> list[int]:
    """Reserve ports of the loopback for a moment and return them."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


@contextlib.contextmanager
def refusing() -> Iterator[str]:
    """Give an address where nobody listens, nor can begin to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def binary(folder: Path) -> str:
    """Return the fluidmcp command: that of $FLUIDMCP_BIN, else a new one."""
    given = os.environ.get("FLUIDMCP_BIN")
    if given:
        return str((Path.cwd() / given).resolve())
    built = folder / "fluidmcp"
    subprocess.run(["go", "build", "-o", str(built), "./cmd/fluidmcp"], cwd=REPOSITORY, check=True)
    return str(built)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Stack]:
    """Run FluidMCP; at the end see that Ctrl-C ends it in good order."""
    ports = dict(zip((LLM, SLOW, SPARE), free_ports(3)))
    mocks = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}

    def mock(name: str, **env: str) -> dict[str, Any]:
        return {"command": "mockvllm", "args": ["serve", "mock-model", "--port", str(ports[name])], "env": env}

    models = {
        LLM: mock(LLM),
        SLOW: mock(SLOW, MOCKVLLM_ITL="200ms"),
        SPARE: mock(SPARE),
        SLASHED: {"endpoints": {"base_url": f"{mocks[LLM]}/v1"}, "served_name": "mock-model"},
    }
    file = folder / "models.json"
    file.write_text(json.dumps({"llmModels": models}))
    command = [binary(folder), "run", str(file), "--file", "--start-server", "--port", "0", "--supervisor-port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        printed: queue.Queue[str | None] = queue.Queue()
        said: list[str] = []

        def read(stream: Any) -> None:
            for line in stream:
                said.append(line)
                printed.put(line)
            printed.put(None)

        reader = threading.Thread(target=read, args=(process.stdout,))
        reader.start()
        try:
            yield Stack(_address(printed, said), mocks)
            process.send_signal(signal.SIGINT)
            code = process.wait(PATIENCE)
            assert code == 0, f"fluidmcp ended with {code}:\n{''.join(said)}"
        finally:
            process.kill()
            reader.join()


def _address(printed: queue.Queue[str | None], said: list[str]) -> str:
    """Return where the gateway listens. It says so once every model is ready."""
    while True:
        line = printed.get(timeout=PATIENCE)
        assert line is not None, f"fluidmcp ended:\n{''.join(said)}"
        found = re.search(r"http://localhost:(\d+)/metrics", line)
        if found:
            return f"http://127.0.0.1:{found.group(1)}"
