"""The programs of the README, as they stand there, except for the address."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from stack import Stack

README = Path(__file__).parents[1] / "README.md"
PROGRAMS = re.findall(r"```python\n(.*?)```(?:\n\n```\n(.*?)```)?", README.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize(("program", "prints"), PROGRAMS, ids=range(len(PROGRAMS)))
def test_program(stack: Stack, program: str, prints: str) -> None:
    assert "FluidMCPClient()" in program
    program = program.replace("FluidMCPClient()", f"FluidMCPClient({stack.gateway!r})")
    command = [sys.executable, "-X", "utf8", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env={"PYTHONPATH": ":".join(sys.path)})
    assert done.returncode == 0, done.stderr
    assert (done.stdout == prints) if prints else done.stdout
