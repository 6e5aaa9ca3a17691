"""`python -m local_cloud up | down | status | env`."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

from local_cloud import control
from local_cloud.environment import client_environment


def main() -> int:
    """Run one command and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local_cloud", description="An AWS emulator on this machine.")
    parser.add_argument("--state-dir", type=Path, default=control.DEFAULT_STATE)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start the emulator, or report the one that runs")
    up.add_argument("--port", type=int)
    up.add_argument("--idle-minutes", type=float, default=240)
    up.add_argument("--python", type=Path, default=control.DEFAULT_PYTHON)
    commands.add_parser("down", help="stop the emulator and all that it started")
    commands.add_parser("status", help="say whether it runs; exit code 1 when it does not")
    env = commands.add_parser("env", help='print shell lines for a client; use: eval "$(python -m local_cloud env)"')
    env.add_argument("--account", default="111111111111")
    env.add_argument("--region", default="eu-central-1")
    options = parser.parse_args()
    try:
        return _run(options)
    except (control.LocalCloudError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace) -> int:
    if options.command == "down":
        print("stopped" if control.stop(options.state_dir) else "was not running")
        return 0
    if options.command == "up":
        endpoint: control.Endpoint | None = control.start(
            options.state_dir, python=options.python, port=options.port, idle_minutes=options.idle_minutes
        )
    else:
        endpoint = control.running(options.state_dir)
    if endpoint is None:
        print("not running; start it with: python -m local_cloud up", file=sys.stderr)
        return 1
    if options.command != "env":
        print(f"running at {endpoint.url} (pid {endpoint.pid})")
        return 0
    wanted = client_environment(
        endpoint, account=options.account, region=options.region, base=os.environ, state_dir=options.state_dir
    )
    for name in sorted(os.environ.keys() - wanted.keys()):
        print(f"unset {name}")
    for name, value in sorted(wanted.items()):
        if os.environ.get(name) != value:
            print(f"export {name}={shlex.quote(value)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
