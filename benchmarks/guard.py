"""What a scan of the guard costs: ``python -m benchmarks.guard``. See README.md in this folder."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))  # for `python benchmarks/guard.py`

from benchmarks.guard_world import LATENCY, Calls, Size, World, least, pins, served
from tests.fake_aws.core import REGION

FULL: Final = Size(services=200, tasks=5_000, repositories=20, images=10_000)
PARTS: Final = (4, 2, 1)

AIM_CALLS: Final = 1.10
AIM_PEAK_MB: Final = 200.0
AIM_GROWTH: Final = 1.15
"""Twice the account may cost so much more than twice the calls and the CPU time."""

MEMORY_MB: Final = 512
SCANS_A_MONTH: Final = 30 * 24 * 4
VCPU: Final = MEMORY_MB / 1769
"""A function has a whole CPU at 1,769 MB (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html)."""

GB_SECOND: Final = 0.0000133334
REQUEST: Final = 0.20 / 1e6
QUEUE_REQUEST: Final = 0.50 / 1e6
READ_UNIT: Final = 0.125 / 1e6
WRITE_UNIT: Final = 0.625 / 1e6
"""US dollars in us-east-1 without free tiers: Lambda on arm64, SQS FIFO, DynamoDB on demand
(https://aws.amazon.com/lambda/pricing, /sqs/pricing, /dynamodb/pricing/on-demand). The other calls have no price."""

QUEUE_REQUESTS_A_SCAN: Final = 3  # send, receive, delete

_ROOT: Final = Path(__file__).parent.parent
_LONGEST_SECONDS: Final = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One scan.

    Attributes:
        calls: what was called.
        refused: how many calls were throttled, of those.
        least: what would have been enough.
        seconds: by the clock.
        cpu_seconds: of the process, its start included.
        peak_mb: the most memory that the process had.
        metrics: what the guard said of itself.
    """

    calls: Calls
    refused: int
    least: Calls
    seconds: float
    cpu_seconds: float
    peak_mb: float
    metrics: Mapping[str, int]

    @property
    def ratio(self) -> float:
        """The calls over the fewest, throttled ones aside."""
        return (self.calls.total() - self.refused) / self.least.total()


def main(arguments: Sequence[str]) -> int:
    """Measures, prints, and returns 1 when an aim is missed."""
    options = _options(arguments)
    console = Console(width=None if sys.stdout.isatty() else 120)
    size = FULL.part(options.part)
    scans = {of: two_scans(size.part(of)) for of in PARTS}
    console.print(_sizes(size, scans))
    for line in _growth(scans):
        console.print(line, highlight=False)
    if options.calls:
        console.print(_calls(scans[1][1]))
    missed = _missed(size, scans)
    if not options.fast:
        slow = two_scans(size, as_on_aws=True)[1]
        told = (
            f"With {LATENCY * 1000:.0f} ms a call and ECS's request rates a steady scan takes {slow.seconds:.0f} s "
            f"({slow.refused} calls throttled). {MEMORY_MB} MB have {VCPU:.2f} of a CPU."
        )
        console.print(told, highlight=False)
        console.print(_price(slow))
        missed += _complete(size, slow)
    for line in missed:
        console.print(line, markup=False, highlight=False)
    if not missed:
        console.print(
            f"OK  calls within {AIM_CALLS - 1:.0%} of the fewest, memory below {AIM_PEAK_MB:.0f} MB, growth linear"
        )
    return int(bool(missed))


def two_scans(size: Size, *, as_on_aws: bool = False) -> tuple[Scan, Scan]:
    """The first scan of an account, which pins everything, and one after which nothing is to be done."""
    world = World(size)
    with served(world, as_on_aws=as_on_aws) as address:
        return _scan(world, size, address, first=True), _scan(world, size, address, first=False)


def _scan(world: World, size: Size, address: str, *, first: bool) -> Scan:
    """One scan in a process of its own.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    world.calls.clear()
    world.refused.clear()
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "NO_PROXY": "127.0.0.1",
        "MOORINGS_GUARD": world.settings,
    }
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.guard_scan"],
        cwd=_ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=_LONGEST_SECONDS,
    )
    said = json.loads(ended.stdout.splitlines()[-1])
    return Scan(calls=world.calls.copy(), refused=world.refused.total(), least=least(size, first=first), **said)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard", description=__doc__)
    parser.add_argument("--part", type=int, default=1, help="measure an account a fraction as large, such as 5 for 1/5")
    parser.add_argument("--fast", action="store_true", help="leave out the run with AWS's latency and throttling")
    parser.add_argument("--calls", action="store_true", help="list the calls beside the fewest")
    return parser.parse_args(arguments)


def _sizes(size: Size, scans: Mapping[int, tuple[Scan, Scan]]) -> Table:
    title = f"A scan without latency; CPU seconds of Python {platform.python_version()}"
    headings = ("services", "tasks", "images", "scan", "calls", "fewest", "calls / fewest", "CPU s", "peak MB")
    table = Table(*headings, title=title)
    for column in table.columns:
        column.justify = "right"
    for of, pair in scans.items():
        part = size.part(of)
        for what, scan in zip(("first", "steady"), pair, strict=True):
            table.add_row(
                f"{part.services:,}",
                f"{part.tasks:,}",
                f"{part.repositories * part.images:,}",
                what,
                f"{scan.calls.total():,}",
                f"{scan.least.total():,}",
                f"{scan.ratio:.3f}",
                f"{scan.cpu_seconds:.1f}",
                f"{scan.peak_mb:.0f}",
            )
    return table


def _calls(scan: Scan) -> Table:
    table = Table("call", "calls", "fewest", title="Calls of a steady scan")
    for name in sorted({*scan.calls, *scan.least}):
        table.add_row(name, f"{scan.calls[name]:,}", f"{scan.least[name]:,}")
    return table


def _price(scan: Scan) -> Table:
    """What a month of scans costs, every 15 minutes."""
    billed = max(scan.seconds, scan.cpu_seconds / VCPU)
    gb_seconds = billed * MEMORY_MB / 1024
    reads = scan.calls["dynamodb.GetItem"] * READ_UNIT + scan.calls["dynamodb.PutItem"] * WRITE_UNIT
    parts = {
        f"Lambda, {gb_seconds:.1f} GB-seconds a scan": gb_seconds * GB_SECOND + REQUEST,
        "DynamoDB": reads,
        "SQS": QUEUE_REQUESTS_A_SCAN * QUEUE_REQUEST,
    }
    table = Table(f"{SCANS_A_MONTH:,} scans a month", "US dollars", title=f"{billed:.0f} seconds billed a scan")
    for what, price in parts.items():
        table.add_row(what, f"{price * SCANS_A_MONTH:.2f}")
    table.add_row("together", f"{sum(parts.values()) * SCANS_A_MONTH:.2f}")
    return table


def _missed(size: Size, scans: Mapping[int, tuple[Scan, Scan]]) -> list[str]:
    lines = []
    for of, pair in scans.items():
        for scan in pair:
            lines += _complete(size.part(of), scan)
            if scan.ratio > AIM_CALLS:
                lines.append(f"NG  {scan.ratio:.3f} of the fewest calls (aim: at most {AIM_CALLS:g})")
            if scan.peak_mb >= AIM_PEAK_MB:
                lines.append(f"NG  {scan.peak_mb:.0f} MB (aim: below {AIM_PEAK_MB:g})")
    for few, many in pairwise(PARTS):
        for what in ("calls", "CPU seconds"):
            linear = _factor(scans, few, many, what) / (few / many)
            if linear > AIM_GROWTH:
                lines.append(f"NG  {what} from 1/{few} to 1/{many} grow {linear:.2f} times as much as the account")
    return lines


def _growth(scans: Mapping[int, tuple[Scan, Scan]]) -> list[str]:
    return [
        f"Steady scans, 1/{few} to 1/{many} of the account: {_factor(scans, few, many, 'calls'):.2f} times the calls, "
        f"{_factor(scans, few, many, 'CPU seconds'):.2f} times the CPU seconds"
        for few, many in pairwise(PARTS)
    ]


def _factor(scans: Mapping[int, tuple[Scan, Scan]], few: int, many: int, what: str) -> float:
    return _cost(scans[many][1], what) / _cost(scans[few][1], what)


def _cost(scan: Scan, what: str) -> float:
    return scan.calls.total() if what == "calls" else scan.cpu_seconds


def _complete(size: Size, scan: Scan) -> list[str]:
    """A scan that read little would be cheap, so it must have seen everything."""
    expected = {"ImagesInUse": pins(size), "PinnedImages": pins(size), "ImagesMissing": 0, "ScanIncomplete": 0}
    return [
        f"NG  {name} is {scan.metrics.get(name)}, and {value} was expected: the scan is not comparable"
        for name, value in expected.items()
        if scan.metrics.get(name) != value
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
