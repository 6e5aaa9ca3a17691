"""Compares our synthesis with a plain CDK app's: ``python -m benchmarks.synth``. See README.md in this folder."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))  # for `python benchmarks/synth.py`

from benchmarks.runs import Run, difference, run
from benchmarks.sides import SERVICES_AT_MOST, SERVICES_WITH_FEATURES, SIDES, Side

AIM_ONE_SERVICE: Final = 1.03
AIM_ADDED_SERVICE: Final = 1.0
AIM_WITH_FEATURES: Final = 1.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Both sides of one comparison; the n-th runs of each were neighbours in time."""

    services: int
    features: bool
    validate: bool
    ours: Sequence[Run]
    plain: Sequence[Run]

    @property
    def name(self) -> str:
        """The size, and whether its services have the features that are opt-in."""
        return f"{self.services} with features" if self.features else str(self.services)

    @property
    def cpu_ratios(self) -> list[float]:
        """Our CPU time over the plain app's, for each round."""
        return [a.cpu_seconds / b.cpu_seconds for a, b in zip(self.ours, self.plain, strict=True)]

    @property
    def calls(self) -> tuple[int, int]:
        """The jsii calls of both sides."""
        return self.ours[0].all_calls, self.plain[0].all_calls


def main(arguments: Sequence[str]) -> int:
    """Measures, prints, and returns 1 when a side made other resources or more calls than aimed at."""
    options = _options(arguments)
    console = Console(width=None if sys.stdout.isatty() else 120)
    validations = (False,) if options.no_validation else (False, True)
    for side in SIDES:  # compiled modules and jsii's package cache, so that no measured run pays for them
        run(side, 1)
    sizes = [(number, False) for number in options.services] + [(SERVICES_WITH_FEATURES, True)]
    pairs = [
        _pair(number, features=features, validate=validate, rounds=options.rounds)
        for validate in validations
        for number, features in sizes
    ]
    different = [line for pair in pairs for line in _different(pair)]
    console.print(_times(pairs, options.rounds))
    console.print(_calls(pairs))
    missed = [line for line in _verdict(pairs) if line.startswith("NG")]
    for line in (*_verdict(pairs), *different):
        console.print(line, markup=False, highlight=False)
    return int(bool(missed or different))


def marginal_calls(few: Pair, many: Pair) -> tuple[float, float]:
    """The jsii calls of one more service, on both sides."""
    added = many.services - few.services
    return (many.calls[0] - few.calls[0]) / added, (many.calls[1] - few.calls[1]) / added


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.synth", description=__doc__)
    parser.add_argument("--services", type=_numbers, default=[1, 3, 10, 30], help="such as 1,3,10,30 (the default)")
    parser.add_argument("--rounds", type=int, default=3, help="synths of each side and size; 3 by default")
    parser.add_argument("--no-validation", action="store_true", help="leave out the runs with validation on")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options


def _numbers(text: str) -> list[int]:
    numbers = sorted({int(part) for part in text.split(",")})
    if numbers[0] < 1:
        raise argparse.ArgumentTypeError("an environment has at least one service")
    return numbers


def _pair(services: int, *, features: bool, validate: bool, rounds: int) -> Pair:
    """Runs both sides in turn, so that a busy moment of the machine meets both."""
    runs: dict[Side, list[Run]] = {side: [] for side in SIDES}
    for _ in range(rounds):
        for side in SIDES:
            runs[side].append(run(side, services, features=features, validate=validate))
    return Pair(services=services, features=features, validate=validate, ours=runs["ours"], plain=runs["plain"])


def _different(pair: Pair) -> list[str]:
    lines = difference(pair.ours[0].resources, pair.plain[0].resources)
    return [f"NG  resources of {pair.name} services differ (ours and plain): {line}" for line in lines]


def _times(pairs: Sequence[Pair], rounds: int) -> Table:
    title = f"CPU seconds of Python and Node, median (lowest-highest) of {rounds}; Python {platform.python_version()}"
    table = Table("validation", "services", "resources", "ours", "plain", "ours / plain", title=title)
    for column in table.columns[1:]:
        column.justify = "right"
    for pair in pairs:
        table.add_row(
            "on" if pair.validate else "off",
            pair.name,
            str(sum(pair.ours[0].resources.values())),
            _spread([one.cpu_seconds for one in pair.ours]),
            _spread([one.cpu_seconds for one in pair.plain]),
            _spread(pair.cpu_ratios),
        )
    return table


def _calls(pairs: Sequence[Pair]) -> Table:
    table = Table("services", "ours", "plain", "ours / plain", title="jsii calls (the same in every run)")
    for column in table.columns:
        column.justify = "right"
    off = [pair for pair in pairs if not pair.validate]
    for pair in off:
        ours, plain = pair.calls
        table.add_row(pair.name, str(ours), str(plain), f"{ours / plain:.3f}")
    for few, many in pairwise(_in_one_environment(pairs)):
        ours_added, plain_added = marginal_calls(few, many)
        label = f"each of {few.services + 1} to {many.services}"
        table.add_row(label, f"{ours_added:g}", f"{plain_added:g}", f"{ours_added / plain_added:.3f}")
    return table


def _in_one_environment(pairs: Sequence[Pair]) -> list[Pair]:
    """The sizes whose difference is services alone; the calls do not depend on validation."""
    return [pair for pair in pairs if not pair.validate and not pair.features and pair.services <= SERVICES_AT_MOST]


def _verdict(pairs: Sequence[Pair]) -> list[str]:
    """Whether the aims are met, as far as the sizes that were run can say."""
    sizes = _in_one_environment(pairs)
    lines = []
    if sizes and sizes[0].services == 1:
        ours, plain = sizes[0].calls
        lines.append(_judge("jsii calls, one environment with one service", ours / plain, AIM_ONE_SERVICE))
    if len(sizes) > 1:
        ours_added, plain_added = marginal_calls(sizes[0], sizes[-1])
        lines.append(_judge("jsii calls, each added service", ours_added / plain_added, AIM_ADDED_SERVICE))
    for pair in pairs:
        if pair.features and not pair.validate:
            ours, plain = pair.calls
            lines.append(_judge(f"jsii calls, {pair.name}", ours / plain, AIM_WITH_FEATURES))
    return lines


def _judge(what: str, ratio: float, aim: float) -> str:
    return f"{'OK' if ratio <= aim else 'NG'}  {what}: {ratio:.3f} of a plain app's (aim: at most {aim:g})"


def _spread(values: Sequence[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
