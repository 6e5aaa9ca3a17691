"""The page that visitors see when no target answers, and how long they wait for it (lesson Q4).

Standard library only.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from constructs_lib.checks import certificate_arn, concrete, invalid, is_token, whole_number
from constructs_lib.services.traffic.timeouts import TimeoutBudget

PAGE_CODES: Final = (502, 503, 504)
"""What a load balancer answers when no target does, and what CloudFront makes of a load balancer that does not answer.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html"""

UNCACHED_CODES: Final = (404, 405, 414, 500, 501)
"""Other errors that CloudFront would keep for ten seconds, and give to everybody who asks for the same path.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html"""

PAGE_STATUS: Final = 503
"""What a visitor's program sees: not 200, or monitors and search engines would take the page for the site."""

PAGE_PATHS: Final = "/moorings/unavailable/*"

_LARGEST_BYTES: Final = 1024
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_FixedResponseActionConfig.html"""

_LONGEST_RESPONSE_SECONDS: Final = 120
"""https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CustomOriginConfig.html"""

_LOAD_BALANCER_CONNECT_SECONDS: Final = 10
"""How long a load balancer tries to connect to a target; it cannot be changed (see PAGE_CODES)."""

_EDGE_REGION: Final = "us-east-1"
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")

_HTML: Final = (
    '<!doctype html><html lang="{language}"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width">'
    '<meta name="color-scheme" content="light dark"><title>{title}</title>'
    "<style>body{{font:1.1em/1.5 system-ui,sans-serif;margin:15vh auto;max-width:34em;padding:0 1em}}</style>"
    '<body dir="auto"><h1>{title}</h1><p>{sentence}</p>'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnavailablePage:
    """A page of plain HTML for the time when no target answers (lesson Q4). No script, and nothing is loaded from
    anywhere: what a visitor gets is all there is.

    Args:
        title: the heading; plain text.
        sentence: what to do now; plain text.
        language: the language of both, such as ``en`` (the default) or ``ja``; a screen reader needs it.

    Raises:
        ValueError: a text that is empty or has line breaks, no language tag, or more HTML than a load balancer holds.
    """

    title: str = "Temporarily unavailable"
    sentence: str = "This service cannot answer right now. Please try again in a few minutes."
    language: str = "en"

    def __post_init__(self) -> None:
        for what in ("title", "sentence", "language"):
            value = concrete(what, getattr(self, what))
            if not value.isprintable() or not value.strip():
                raise invalid(what, value, "one line of text", "leave out line breaks and control characters")
        if not _LANGUAGE.fullmatch(self.language):
            raise invalid("language", self.language, "a language tag", "write one such as 'en' or 'pt-BR'")
        size = len(self.html())
        if size > _LARGEST_BYTES:
            raise invalid(
                "title and sentence",
                size,
                f"at most {_LARGEST_BYTES} bytes as a page",
                "shorten them; the title counts twice, and a letter that is not ASCII as up to 9 bytes",
            )

    def html(self) -> str:
        """The whole page, in ASCII: then it holds as many bytes as characters, whatever encoding is assumed."""
        page = _HTML.format(title=html.escape(self.title), sentence=html.escape(self.sentence), language=self.language)
        return page.encode("ascii", "xmlcharrefreplace").decode("ascii")

    def path(self) -> str:
        """Where the page is. Another text has another path, so no edge goes on with the text before it."""
        return PAGE_PATHS.removesuffix("*") + hashlib.sha256(self.html().encode("ascii")).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeWaits:
    """How long CloudFront waits for a connection to a load balancer (lessons Q4, T3).

    Args:
        connect_seconds: for each attempt, 1 to 10; 5 by default (CloudFront's own default is 10).
        attempts: how often it tries, 1 to 3; 2 by default (CloudFront's is 3). A GET or HEAD is also asked again as
            often, when the load balancer accepts it and never answers.

    Raises:
        ValueError: a number out of its range.
    """

    connect_seconds: int = 5
    attempts: int = 2

    def __post_init__(self) -> None:
        whole_number("connect_seconds", self.connect_seconds, low=1, high=10, fix="CloudFront has no other range")
        whole_number("attempts", self.attempts, low=1, high=3, fix="CloudFront has no other range")

    def seconds_to_page(self, timeouts: TimeoutBudget) -> Mapping[str, int]:
        """How long a visitor waits for the page at most, by what is wrong; the way back takes no time at all."""
        return {
            "no target is registered": 0,
            "a target refuses connections": 0,
            "a target is gone": _LOAD_BALANCER_CONNECT_SECONDS,
            "a target hangs": timeouts.idle_seconds,
            "the load balancer cannot be reached": self.attempts * self.connect_seconds,
            "the load balancer hangs": self.attempts * response_seconds(timeouts),
        }


def response_seconds(timeouts: TimeoutBudget) -> int:
    """How long CloudFront waits for an answer: it is who calls the load balancer.

    The budget holds it above the load balancer's idle timeout, so a target that hangs ends in the load balancer's own
    504, which its alarms count.

    Raises:
        ValueError: CloudFront does not wait as long.
    """
    longest = _LONGEST_RESPONSE_SECONDS
    if timeouts.caller_seconds > longest:
        raise invalid(
            "caller_seconds",
            timeouts.caller_seconds,
            f"at most {longest} behind CloudFront",
            "CloudFront is the load balancer's caller, and waits no longer",
        )
    return timeouts.caller_seconds


def edge_certificate_arn(what: str, value: str) -> str:
    """``value`` itself, refused unless it is the ARN of a certificate that CloudFront takes; a Token is taken as it is.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html
    """
    if not is_token(value):
        region = certificate_arn(what, value).split(":")[3]
        if region != _EDGE_REGION:
            raise invalid(
                what,
                value,
                f"of a certificate in {_EDGE_REGION}",
                f"CloudFront takes no other; request one for the same names in {_EDGE_REGION}",
            )
    return value
