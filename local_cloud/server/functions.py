"""What CloudWatch counts of Lambda functions. MiniStack counts only those that somebody calls through the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_cloud.server.emulator import Properties, lambda_service, wrap


def install() -> None:
    """Count each run once: also those that events, schedules and queues start."""
    count = lambda_service._emit_lambda_metrics

    def run(
        inner: Callable[..., Any], func: Properties, config: Properties, event: Any, request: str, started: float
    ) -> Any:
        result = inner(func, config, event, request, started)
        failed = isinstance(result, dict) and bool(result.get("error"))
        count(config["FunctionName"], duration_ms=0.0, error=failed, throttle=False)
        return result

    def told(inner: Callable[..., None], name: str, *arguments: Any, **named: Any) -> None:
        if named.get("throttle"):
            inner(name, *arguments, **named)

    wrap(lambda_service, "_execute_function_dispatch", run)
    wrap(lambda_service, "_emit_lambda_metrics", told)
