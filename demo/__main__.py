"""``make demo``: deploys both environments to a cloud on this machine, releases one image in both, and shows it all.

``make demo-break`` and ``make demo-heal`` break and mend a service of it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from demo.cloud import LocalCloud
from demo.component import Component
from demo.deliver import deliver
from demo.deploy import deploy
from demo.environments import demo_environments
from demo.fault import break_it, heal
from demo.progress import step
from demo.show import show
from demo.status_page import status_page
from local_cloud import control, controls

MINUTE_SECONDS = 2.0
"""How long a minute of CloudWatch takes in the demo, so that a fault is seen in seconds."""


def main(arguments: Sequence[str]) -> int:
    """Runs the demo and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("up", "break", "heal"), default="up")
    parser.add_argument(
        "--state-dir", type=Path, default=control.DEFAULT_STATE, help="where the local cloud keeps its log"
    )
    options = parser.parse_args(arguments)
    console = Console(soft_wrap=False)
    try:
        if options.what == "up":
            _up(console, options.state_dir)
        else:
            _change(console, options.state_dir, options.what)
    except RuntimeError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    return 0


def _up(console: Console, state_dir: Path) -> None:
    began = time.monotonic()
    environments = demo_environments()
    console.print("[bold]Moorings demo:[/] everything runs on this machine; AWS is never called.")
    cloud = LocalCloud.started(state_dir)
    controls.set_minute(cloud.endpoint, MINUTE_SECONDS)
    cloud.enter(environments[0].region)
    deploy(cloud, environments, partial(step, console))
    deliver(cloud, environments, partial(step, console))
    show(console, environments)
    page = status_page(cloud, environments)
    if page is not None:
        console.print(
            f"The status page of {page.environment.name}, as CloudFront would serve it: {page.address}\n"
            "`make demo-break` breaks a service and shows how it comes there; `make demo-heal` mends it.",
            soft_wrap=True,
        )
    console.print(
        f"The local cloud listens on {cloud.endpoint.url}. It is no AWS: local_cloud/README.md says where it differs.\n"
        f"Done in {time.monotonic() - began:.0f} s. `make demo` again changes nothing; `make demo-down` stops it.",
        soft_wrap=True,
    )


def _change(console: Console, state_dir: Path, what: str) -> None:
    environments = demo_environments()
    endpoint = control.running(state_dir)
    if endpoint is None:
        raise RuntimeError("the demo does not run; start it with `make demo`")
    cloud = LocalCloud(endpoint=endpoint, state_dir=state_dir)
    cloud.enter(environments[0].region)
    page = status_page(cloud, environments)
    if page is None:
        raise RuntimeError("the local cloud runs, but there is no status page in it; `make demo` deploys one")
    component = Component(cloud, page.environment)
    (break_it if what == "break" else heal)(console, endpoint, page, component)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
