"""One scan of the guard, as a program: ``python -m tests.proof.guard_once <registry> <region> <repository> <table>``.

It runs on the private machine, where the local cloud is; what it prints is the scan's metrics.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

from constructs_lib.images.runtime.aws import connect
from constructs_lib.images.runtime.guard import scan
from constructs_lib.images.runtime.memory import Memory
from constructs_lib.images.runtime.references import RepositoryId
from constructs_lib.images.runtime.settings import Settings


def main(registry: str, region: str, repository: str, table: str) -> None:
    """Scans, and prints the metrics."""
    clients = connect()
    settings = Settings(
        application="shop",
        environment="staging",
        account=registry,
        region=region,
        table=table,
        repositories=(RepositoryId(registry=registry, region=region, name=repository),),
        releases={},
        revisions_kept=3,
        releases_kept=5,
    )
    memory = Memory(clients.dynamodb, table)
    sys.stdout.write(json.dumps(scan(clients, settings, memory=memory, clock=lambda: datetime.now(UTC)).metrics))


if __name__ == "__main__":
    main(*sys.argv[1:])
