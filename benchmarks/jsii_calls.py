"""Counts what Python asks of Node.

Every use of a CDK object is a request to the Node process, about a millisecond each. The number of requests depends on
the code alone, so a test can hold it where it cannot hold a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from unittest.mock import patch

from jsii._kernel.providers.process import _NodeProcess
from jsii._kernel.types import KernelRequest, KernelResponse

_NOT_COUNTED: Final = "LoadRequest"
"""Loading a library is not using it, and each side loads what it imports."""


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Counts requests by kind (``Create``, ``Invoke``, ``Get`` …) until the block ends.

    Raises:
        AttributeError: this version of jsii sends its requests elsewhere; then this module must follow.
    """
    calls: Counter[str] = Counter()
    original = _NodeProcess.send

    def send(process: _NodeProcess, request: KernelRequest, response_type: type[KernelResponse]) -> KernelResponse:
        kind = type(request).__name__
        if kind != _NOT_COUNTED:
            calls[kind.removeprefix("_").removesuffix("Request")] += 1
        return original(process, request, response_type)

    with patch.object(_NodeProcess, "send", send):
        yield calls
