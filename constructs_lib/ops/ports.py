"""Whether the ports hold at a peak, with the kernel's own range and with the one that services here get. Offline.

It is the arithmetic of the synthesis, for a service that is not written yet, or that is somebody else's.
"""

from __future__ import annotations

import math
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from typing import Final

from constructs_lib.command_line import FINE, FOUND, CouldNotRun, whole
from constructs_lib.ops.outside import Outside
from constructs_lib.ops.plain_tables import aligned
from constructs_lib.services.ports.local_ports import KERNEL, WIDE, LocalPorts
from constructs_lib.services.ports.port_budget import PortBudget, PortPath
from constructs_lib.services.ports.port_remedies import remedies, sessions_held

HELP: Final = "whether the ports of a service hold at its peak"

_RANGES: Final = {"kernel": KERNEL, "moorings": WIDE}


def configure(parser: ArgumentParser) -> None:
    """The command's arguments: the five numbers, and how connections are kept."""
    number = whole(1, 10**12)
    parser.add_argument("--sessions", type=number, required=True, metavar="N", help="open sessions at the peak")
    parser.add_argument(
        "--requests", type=_positive, required=True, metavar="N", help="requests of one session in a minute"
    )
    parser.add_argument(
        "--tasks", type=number, required=True, metavar="N", help="tasks that are left in the worst case"
    )
    parser.add_argument("--destinations", type=number, default=1, metavar="N", help="addresses of the dependency; 1")
    parser.add_argument(
        "--nat-gateways", type=whole(0, 60), default=0, metavar="N", help="NAT gateways on the way to it; 0: none"
    )
    parser.add_argument("--nat-addresses", type=number, default=1, metavar="N", help="addresses of each NAT gateway; 1")
    parser.add_argument(
        "--kept",
        choices=("per-request", "per-session", "pooled"),
        default="per-request",
        help="how long a connection stays open; per-request, the worst",
    )
    parser.add_argument(
        "--per-request", type=_positive, default=1, metavar="N", help="connections that one request opens; 1"
    )
    parser.add_argument("--pool-size", type=number, metavar="N", help="connections of one task's pool")
    parser.add_argument(
        "--upstream-seconds", type=number, default=15, metavar="N", help="how long a request waits for it at worst; 15"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.set_defaults(run=_run)


def _run(options: Namespace, outside: Outside) -> int:
    budgets = {name: _budget(options, ports) for name, ports in _RANGES.items()}
    if options.json:
        outside.say_json(_as_json(budgets))
    else:
        for line in _lines(budgets):
            outside.say(line)
    return FINE if budgets["moorings"].holds else FOUND


def _budget(options: Namespace, ports: LocalPorts) -> PortBudget:
    if options.nat_addresses > 1 and not options.nat_gateways:
        raise CouldNotRun("--nat-addresses says nothing without --nat-gateways; say how many gateways have so many")
    try:
        return PortBudget(
            expected_sessions=options.sessions,
            requests_per_session=options.requests,
            tasks=options.tasks,
            destinations=options.destinations,
            nat_gateways=options.nat_gateways,
            kept=options.kept,
            pool_size=options.pool_size,
            nat_addresses=options.nat_addresses,
            upstream_seconds=options.upstream_seconds,
            local_ports=ports,
            per_request=options.per_request,
        )
    except ValueError as error:
        raise CouldNotRun(str(error)) from error


def _lines(budgets: dict[str, PortBudget]) -> Iterator[str]:
    kernel, ours = budgets["kernel"], budgets["moorings"]
    yield ours.load
    yield ""
    head = ["", "needs", f"ports {_range(KERNEL)}, the kernel's", f"ports {_range(WIDE)}, the default here"]
    rows = [
        [path.name, str(path.needs), _cell(old), _cell(path)]
        for old, path in zip(kernel.paths, ours.paths, strict=True)
    ]
    held = ["sessions that fit", "", *(str(sessions_held(budget)) for budget in (kernel, ours))]
    yield from aligned([head, *rows, held])
    for name, budget, others in (("the kernel's", kernel, ours.paths), ("these", ours, ())):
        yield ""
        yield f"With {name} ports, {_range(budget.local_ports)}:"
        yield from (f"  {path.sentence}" for path in budget.paths if path not in others)
        yield from (f"  {said}" for said in remedies(budget))


def _range(ports: LocalPorts) -> str:
    return f"{ports.low} to {ports.high}"


def _cell(path: PortPath) -> str:
    return f"{path.used_percent} % of {path.holds}, {path.word}"


def _as_json(budgets: dict[str, PortBudget]) -> dict[str, object]:
    return {
        "load": budgets["moorings"].load,
        "holds": budgets["moorings"].holds,
        "ranges": [
            {
                "name": name,
                "local_ports": budget.local_ports.setting,
                "verdict": budget.verdict,
                "sessions_held": sessions_held(budget),
                "paths": [
                    {
                        "name": path.name,
                        "holds": path.holds,
                        "needs": path.needs,
                        "headroom": path.headroom,
                        "verdict": path.verdict,
                        "sentence": path.sentence,
                    }
                    for path in budget.paths
                ],
                "remedies": list(remedies(budget)),
            }
            for name, budget in budgets.items()
        ],
    }


def _positive(text: str) -> float:
    """The type of a number that may be a half."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number <= 1e9:
        raise ArgumentTypeError(f"must be a number above 0, got {text!r}")
    return number
