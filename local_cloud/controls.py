"""What a person may do to the emulator that nobody can do to AWS. Standard library only."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from urllib.parse import urlencode

from local_cloud.control import Endpoint, LocalCloudError


def minute(endpoint: Endpoint) -> float:
    """How many seconds a minute of CloudWatch takes."""
    return float(str(_call(endpoint, "GET", "minute")["seconds"]))


def set_minute(endpoint: Endpoint, seconds: float) -> None:
    """Makes CloudWatch's minute shorter, or 60 seconds again.

    Raises:
        LocalCloudError: not between half a second and 60 seconds.
    """
    _call(endpoint, "PUT", "minute", seconds=str(seconds))


def fail_health_checks(endpoint: Endpoint, *, account: str, region: str, service: str, failing: bool) -> None:
    """From now on all tasks of ``<cluster>/<service>`` fail their health check, or no longer.

    Raises:
        LocalCloudError: there is no such service.
    """
    place = {"account": account, "region": region, "service": service}
    _call(endpoint, "PUT", "fault", **place, failing="yes" if failing else "no")


def viewer_address(endpoint: Endpoint, *, account: str, distribution: str) -> str:
    """Where a browser on this machine sees what a CloudFront distribution serves.

    Raises:
        LocalCloudError: there is no such distribution.
    """
    return str(_call(endpoint, "GET", "distribution", account=account, id=distribution)["url"])


def _call(endpoint: Endpoint, method: str, what: str, **query: str) -> dict[str, object]:
    address = f"{endpoint.url}/_moorings/{what}?{urlencode(query)}"
    request = urllib.request.Request(address, method=method)  # noqa: S310  the emulator's own, on 127.0.0.1
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as response:
            found: dict[str, object] = json.load(response)
    except urllib.error.HTTPError as error:
        raise LocalCloudError(json.load(error)["error"]) from error
    except OSError as error:
        raise LocalCloudError(f"the emulator at {endpoint.url} does not answer: {error}") from error
    return found
