"""What ``moorings check`` costs beside cfn-lint and AwsSolutionsChecks: ``python -m benchmarks.guardrails``.

See README.md in this folder.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))  # for `python benchmarks/guardrails.py`

from benchmarks.guardrails_template import PER_SERVICE, template

ROOT: Final = Path(__file__).parent.parent

SIZES: Final = (10, 30, 100, 300)
LARGEST: Final = 500
LARGEST_BYTES: Final = 1_000_000
"""CloudFormation takes no more resources, and no larger template."""

AIM_RATIO: Final = 20.0
AIM_START_SECONDS: Final = 0.150
AIM_MEGABYTES: Final = 100.0
AIM_GROWTH: Final = 1.25
"""Each resource beyond the start-up may cost so much more among 300 resources than among 100."""

_LONGEST_SECONDS: Final = 900
_NOT_HANDED_ON: Final = ("PYTHONDONTWRITEBYTECODE", "JSII_DEBUG")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one run of a command cost.

    Attributes:
        cpu_seconds: user and system time of the process and all that it waited for.
        peak_mb: the most memory that the process itself had.
    """

    cpu_seconds: float
    peak_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One template.

    Attributes:
        name: how it is called.
        resources: how many it has.
        costs: what each tool cost, in each round.
    """

    name: str
    resources: int
    costs: dict[str, list[Cost]]

    def cpu(self, tool: str) -> float:
        """The median."""
        return median(cost.cpu_seconds for cost in self.costs[tool])

    def ratio(self, tool: str) -> float:
        """How many times ours another tool took: the median over the rounds, in each of which both ran."""
        pairs = zip(self.costs[tool], self.costs["ours"], strict=True)
        return median(other.cpu_seconds / ours.cpu_seconds for other, ours in pairs)


def main(arguments: Sequence[str]) -> int:
    """Measures all, prints it, and returns 1 when an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        cost(ours("--help"))  # warms the caches
        starts = [cost(ours("--help")) for _ in range(5)]
        templates = {f"{count} resources": template(count) for count in SIZES} | {"500 resources, 1 MB": largest()}
        rows = [measure(Path(folder), name, text, options.rounds) for name, text in templates.items()]
    return report(rows, starts)


def measure(folder: Path, name: str, text: str, rounds: int) -> Row:
    """One template, the tools taking turns."""
    path = folder / f"{len(text)}.template.json"
    path.write_text(text)
    costs: dict[str, list[Cost]] = {}
    for number in range(rounds):
        for tool, command in commands(path, folder / f"out-{len(text)}-{number}").items():
            costs.setdefault(tool, []).append(cost(command))
    return Row(name=name, resources=int(name.split()[0]), costs=costs)


def commands(path: Path, out: Path) -> dict[str, list[str]]:
    """How each tool judges a template."""
    return {
        "ours": ours("--format", "json", str(path)),
        "cfn-lint": [str(Path(sys.executable).with_name("cfn-lint")), "--format", "json", "--", str(path)],
        "AwsSolutions": [sys.executable, "-m", "benchmarks.guardrails_in_cdk", str(path), str(out)],
    }


def ours(*arguments: str) -> list[str]:
    """Our command."""
    return [sys.executable, "-m", "constructs_lib.guardrails", *arguments]


def cost(command: Sequence[str]) -> Cost:
    """Runs a command to its end. Findings are no error, and what it prints is not kept.

    Raises:
        RuntimeError: it could not do its work.
    """
    environment = {key: value for key, value in os.environ.items() if key not in _NOT_HANDED_ON}
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read().decode()
    # 1 and 2 (and cfn-lint's sums of 2, 4 and 8) are findings; what crashes says so.
    if child.returncode < 0 or "Traceback" in said:
        raise RuntimeError(f"{' '.join(command)} failed:\n{said[-3000:]}")
    return Cost(cpu_seconds=used.ru_utime + used.ru_stime, peak_mb=used.ru_maxrss / 1024)


def report(rows: Sequence[Row], starts: Sequence[Cost]) -> int:
    """Prints the figures, and says whether the aims are met."""
    console = Console()
    table = Table("template", "ours, CPU s", "cfn-lint, CPU s", "ratio", "AwsSolutions, CPU s", "ratio", "ours, MB")
    for row in rows:
        table.add_row(
            row.name,
            f"{row.cpu('ours'):.2f}",
            f"{row.cpu('cfn-lint'):.2f}",
            f"{row.ratio('cfn-lint'):.1f}",
            f"{row.cpu('AwsSolutions'):.2f}",
            f"{row.ratio('AwsSolutions'):.1f}",
            f"{max(cost.peak_mb for cost in row.costs['ours']):.0f}",
        )
    console.print(table)
    start = median(one.cpu_seconds for one in starts)
    by_count = {row.resources: row for row in rows}
    growth = _each(by_count[300], start) / _each(by_count[100], start)
    aims = [
        ("ratio to cfn-lint, lowest", min(row.ratio("cfn-lint") for row in rows), AIM_RATIO, True),
        ("ratio to AwsSolutions, lowest", min(row.ratio("AwsSolutions") for row in rows), AIM_RATIO, True),
        ("start-up, CPU s", start, AIM_START_SECONDS, False),
        ("most memory, MB", max(cost.peak_mb for row in rows for cost in row.costs["ours"]), AIM_MEGABYTES, False),
        ("each resource, of 300 / of 100", growth, AIM_GROWTH, False),
    ]
    missed = 0
    for name, value, aim, at_least in aims:
        met = value >= aim if at_least else value <= aim
        missed += not met
        console.print(
            f"{'OK' if met else 'NG'}  {name}: {value:.3g} (aim: {'at least' if at_least else 'at most'} {aim:g})"
        )
    return int(bool(missed))


def _each(row: Row, start: float) -> float:
    return (row.cpu("ours") - start) / row.resources


def largest() -> str:
    """The largest template that CloudFormation takes."""
    services = LARGEST // PER_SERVICE
    each = (len(template(PER_SERVICE, settings=100)) - len(template(PER_SERVICE))) / 100
    return template(LARGEST, settings=int((LARGEST_BYTES - len(template(LARGEST))) / each / services))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
