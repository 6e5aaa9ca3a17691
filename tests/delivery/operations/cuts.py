"""Ends a process at one of its calls, before or after AWS has answered it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.fake_aws.core import Params, Service


class Killed(BaseException):
    """The process is gone: nothing in it runs any more."""


@dataclass
class Cut:
    """Ends a process at one of its calls.

    Attributes:
        calls: the calls that were answered.
        times: when each was.
        done: whether a call was interrupted.
    """

    at: int
    error: type[BaseException]
    after: bool
    now: Callable[[], datetime]
    times: list[datetime] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    done: bool = False

    def around(self, service: Service) -> Service:
        """The same service, with the cut."""
        return _Cutting(self, service, service.name)


@dataclass
class _Cutting:
    cut: Cut
    service: Service
    name: str

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        if not self.cut.after and len(self.cut.calls) == self.cut.at and not self.cut.done:
            # What has caught Ctrl-C still runs and calls; what was killed does not.
            self.cut.done = self.cut.error is KeyboardInterrupt
            raise self.cut.error
        self.cut.calls.append(f"{self.name}.{operation}")
        self.cut.times.append(self.cut.now())
        try:
            return self.service.answer(operation, params)
        finally:
            if self.cut.after and len(self.cut.calls) == self.cut.at + 1:
                raise self.cut.error
