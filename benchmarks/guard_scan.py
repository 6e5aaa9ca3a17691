"""One scan of the guard, as its function makes it: ``python -m benchmarks.guard_scan``.

The environment has the function's settings and the address of AWS (``AWS_ENDPOINT_URL``). The last line that is printed
says what the scan cost this process.
"""

from __future__ import annotations

import json
import os
import resource
import time
from datetime import UTC, datetime
from pathlib import Path

from constructs_lib.images.runtime.aws import connect
from constructs_lib.images.runtime.handler import handle
from constructs_lib.images.runtime.settings import Settings


def main() -> None:
    """Scans once."""
    settings = Settings.from_environment(os.environ)
    began = time.monotonic()
    message = {"Records": [{"body": json.dumps(datetime.now(UTC).isoformat())}]}
    metrics = handle(message, connect(), settings, clock=lambda: datetime.now(UTC), sleep=lambda _seconds: None)
    used = resource.getrusage(resource.RUSAGE_SELF)
    said = {
        "seconds": time.monotonic() - began,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_mb": peak_mb(),
        "metrics": metrics,
    }
    print(json.dumps(said))


def peak_mb() -> float:
    """The most memory that this process has had.

    The kernel's ``ru_maxrss`` would not do: it begins with what the parent had when it started this process.
    """
    status = Path("/proc/self/status").read_text()
    (kilobytes,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kilobytes) / 1024


if __name__ == "__main__":
    main()
