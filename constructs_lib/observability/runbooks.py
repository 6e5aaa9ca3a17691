"""Where the page is that an alarm or a message opens at night (lessons W3, W5). Standard library only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import concrete, invalid, name

FOLDER: Final = "docs/runbooks"
"""Of this repository; a page is named like what is wrong."""

LONGEST_DESCRIPTION: Final = 1024
"""CloudWatch takes no longer description of an alarm
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html)."""

_LONGEST_BASE: Final = 200
_LONGEST_NAME: Final = 60
_ADDRESS: Final = re.compile(r"https://[a-z0-9.-]+(:[0-9]+)?(/[\w.~%@+-]+)*/", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbooks:
    """The address of the runbooks, so that each alarm and message ends with a link to its own (lessons W3, W5).

    Args:
        base: where the folder ``docs/runbooks`` can be read, https and with a slash at the end, such as
            ``https://github.com/your-organisation/your-infrastructure/blob/main/docs/runbooks/``. ``None``, the
            default: no address; the file in the repository is named.

    Raises:
        ValueError: no such address, or a Token.
    """

    base: str | None = None

    def __post_init__(self) -> None:
        if self.base is None:
            return
        fix = "pass such as 'https://github.com/your-organisation/your-infrastructure/blob/main/docs/runbooks/'"
        concrete("runbooks", self.base, fix)
        if not _ADDRESS.fullmatch(self.base) or len(self.base) > _LONGEST_BASE:
            allowed = f"an https address of at most {_LONGEST_BASE} characters that ends with a slash"
            raise invalid("runbooks", self.base, allowed, fix)

    def address(self, runbook: str) -> str | None:
        """The link to a runbook; ``None`` when nobody has said where they are."""
        name("runbook", runbook, longest=_LONGEST_NAME)
        return None if self.base is None else f"{self.base}{runbook}.md"

    def place(self, runbook: str) -> str:
        """The link to a runbook, or its file in the repository."""
        return self.address(runbook) or f"{FOLDER}/{runbook}.md"


def runbook_of(spec: AlarmSpec) -> str:
    """The runbook that an alarm opens: its own, or the one named like its fault."""
    return spec.what if spec.runbook is None else spec.runbook


def description(spec: AlarmSpec, runbooks: Runbooks) -> str:
    """What CloudWatch shows of an alarm: severity, meaning, and last the runbook. It is never too long.

    What is around the meaning is 283 characters at most, and :class:`AlarmSpec` takes no longer meaning than 700.
    """
    return f"[{spec.severity}] {spec.meaning} Runbook: {runbooks.place(runbook_of(spec))}"
