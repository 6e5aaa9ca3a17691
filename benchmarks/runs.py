"""Starts one synthesis as a child process, and says what it cost and what it made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Final

from benchmarks.alarms_made import alarms
from benchmarks.sides import Side

ROOT: Final = Path(__file__).parent.parent
_NODE_AT_LEAST: Final = 0.2
"""CPU seconds that Node takes even to start. Less was measured: Node was not waited for, and its time is missing."""

_LONGEST_SECONDS: Final = 600
"""A synthesis that takes longer hangs, and is ended."""

_NOT_HANDED_ON: Final = ("CDK_VALIDATION", "PYTHONDONTWRITEBYTECODE", "JSII_DEBUG", "JSII_HOST_STACK_TRACES")
"""Settings that would change what is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One synthesis.

    Attributes:
        calls: jsii calls by kind.
        cpu_seconds: user and system time of Python and its Node together.
        node_seconds: the part of it that is Node's.
        resources: how many resources of each CloudFormation type, in all stacks of the assembly.
        alarms: what each alarm does, and how many do the same.
    """

    calls: Mapping[str, int]
    cpu_seconds: float
    node_seconds: float
    resources: Mapping[str, int]
    alarms: Mapping[str, int]

    @property
    def all_calls(self) -> int:
        """Calls of every kind."""
        return sum(self.calls.values())


def run(side: Side, services: int, *, features: bool = False, validate: bool = False) -> Run:
    """Synthesizes one side once.

    The kernel adds the time of a process to its parent's when the parent waits for it: Python waits for Node, and this
    waits for Python, so one number holds the whole tree.

    Raises:
        RuntimeError: the synthesis failed, or Node's time is missing.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.sides", "--side", side, "--services", str(services)]
        command += ["--features", "yes" if features else "no", "--validate", "yes" if validate else "no"]
        command += ["--outdir", folder]
        environment = {key: value for key, value in os.environ.items() if key not in _NOT_HANDED_ON}
        output, errors = Path(folder, "stdout"), Path(folder, "stderr")
        with output.open("w") as stdout, errors.open("w") as stderr:
            child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stdout, stderr=stderr)
            limit = Timer(_LONGEST_SECONDS, child.kill)
            limit.start()
            try:
                _, status, used = os.wait4(child.pid, 0)
                child.returncode = os.waitstatus_to_exitcode(status)
            finally:
                limit.cancel()
                if child.returncode is None:
                    child.kill()
        if child.returncode != 0:
            raise RuntimeError(
                f"the synthesis of {side} with {services} services failed:\n{errors.read_text()[-4000:]}"
            )
        said = json.loads(output.read_text().splitlines()[-1])
        cpu = used.ru_utime + used.ru_stime
        node = cpu - said["python_seconds"]
        if node < _NODE_AT_LEAST:
            raise RuntimeError(f"only {node:.2f} CPU seconds beside Python's; Node was not waited for")
        made = Path(folder)
        return Run(
            calls=said["calls"], cpu_seconds=cpu, node_seconds=node, resources=resources(made), alarms=alarms(made)
        )


def resources(assembly: Path) -> Counter[str]:
    """How many resources of each type an assembly holds, its stages included."""
    templates = sorted(assembly.rglob("*.template.json"))
    if not templates:
        raise FileNotFoundError(f"no template in {assembly}; the synthesis made nothing")
    return Counter(
        resource["Type"] for path in templates for resource in json.loads(path.read_text())["Resources"].values()
    )


def difference(left: Mapping[str, int], right: Mapping[str, int]) -> list[str]:
    """What two assemblies do not have in equal number, as lines to read; empty when they agree."""
    return [
        f"{kind}: {left.get(kind, 0)} and {right.get(kind, 0)}"
        for kind in sorted({*left, *right})
        if left.get(kind, 0) != right.get(kind, 0)
    ]
