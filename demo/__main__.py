"""``make demo``: deploys both environments to a cloud on this machine, releases one image in both, and shows it all."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from demo.cloud import LocalCloud
from demo.deliver import deliver
from demo.deploy import deploy
from demo.environments import demo_environments
from demo.progress import step
from demo.show import show
from local_cloud import control


def main(arguments: Sequence[str]) -> int:
    """Runs the demo and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument(
        "--state-dir", type=Path, default=control.DEFAULT_STATE, help="where the local cloud keeps its log"
    )
    options = parser.parse_args(arguments)
    console = Console(soft_wrap=False)
    began = time.monotonic()
    environments = demo_environments()
    console.print("[bold]Moorings demo:[/] everything runs on this machine; AWS is never called.")
    cloud = LocalCloud.started(options.state_dir)
    cloud.enter(environments[0].region)
    try:
        deploy(cloud, environments, partial(step, console))
        deliver(cloud, environments, partial(step, console))
    except RuntimeError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    show(console, environments)
    console.print(
        f"The local cloud listens on {cloud.endpoint.url}. It is no AWS: local_cloud/README.md says where it differs.\n"
        f"Done in {time.monotonic() - began:.0f} s. `make demo` again changes nothing; `make demo-down` stops it."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
