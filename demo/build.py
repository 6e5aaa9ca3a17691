"""``python -m demo.build staging``: what the build project does on AWS, for the cloud on this machine."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from urllib.parse import urlsplit

from demo.deliver import build
from demo.environments import demo_environments
from stacks.config import EnvironmentConfig
from stacks.releases import Promotion


def main(arguments: list[str]) -> int:
    """Builds every image of an environment from a commit that is new each time; the exit code."""
    building = {one.name: one for one in demo_environments() if not isinstance(one.source, Promotion)}
    parser = argparse.ArgumentParser(prog="python -m demo.build", description=__doc__)
    parser.add_argument("environment", choices=sorted(building), help="an environment that builds")
    environment: EnvironmentConfig = building[parser.parse_args(arguments).environment]
    if urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname != "127.0.0.1":
        sys.stderr.write('this shell must talk to the local cloud; eval "$(python -m local_cloud env …)" first\n')
        return 2
    commit = secrets.token_hex(20)
    for service in environment.services:
        digest = build(environment, service, commit)
        sys.stdout.write(f"{environment.application}/{environment.name}/{service.name}@{digest} of {commit[:12]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
