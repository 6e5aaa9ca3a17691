"""What a status page is called, what it shows, and under which address (lesson T5). Standard library only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from constructs_lib.alarm_spec import Felt
from constructs_lib.checks import certificate_arn, concrete, invalid, name, tuple_of
from constructs_lib.naming import alarm_name

FELT: Final[tuple[Felt, ...]] = ("degraded", "outage")
"""The composite alarms of a component that the page follows; the second is there only where an alarm means one."""

COMPONENTS_AT_MOST: Final = 17
"""As many as an environment has services; the page can show more, and a function's settings hold no more."""

PAGE_PREFIX: Final = "page"
"""Where in the bucket the objects are that CloudFront may read. The truth is beside it, and nobody else can."""

STATE_PREFIX: Final = "state"

OBJECTS: Final = (
    f"{STATE_PREFIX}/state.json",
    *(f"{PAGE_PREFIX}/{file}" for file in ("index.html", "ja/index.html", "status.json")),
)
"""All that the function reads and writes, as ``runtime/status`` names it; a test compares them."""

_LONGEST_TITLE: Final = 80  # as runtime/status/state.py counts
_EDGE_REGION: Final = "us-east-1"
_DOMAIN: Final = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_ZONE: Final = re.compile(r"Z[0-9A-Z]{1,31}")
"""https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHostedZone.html has 32 characters at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusComponent:
    """One part of the application that users know by name (lesson T5).

    Args:
        name: as in the names of its alarms: of a service its own name, such as ``web``.
        en: what users call it in English, at most 80 characters.
        ja: in Japanese; empty, the default: the page shows the English words.

    Raises:
        ValueError: a wrong name or title.
    """

    name: str
    en: str
    ja: str = ""

    def __post_init__(self) -> None:
        name("name", self.name)
        _check_titles(self.en, self.ja)

    def alarms(self, application: str, environment: str) -> Mapping[Felt, str]:
        """The names of its composite alarms: pure, so that no reference crosses regions."""
        return {felt: alarm_name(application, environment, self.name, felt) for felt in FELT}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusDomain:
    """An address of one's own for the status page (lesson T5).

    Args:
        name: such as ``status.example.com``. Best of another domain than the application's: then it is there when that
            domain is not.
        certificate_arn: an ACM certificate for it in us-east-1, whatever the region of the page: CloudFront takes no
            other.
        hosted_zone_id: the Route 53 zone to write the name into; ``None``, the default: you write it yourself.

    Raises:
        ValueError: no domain name, a certificate of another region, or no id of a zone.
    """

    name: str
    certificate_arn: str
    hosted_zone_id: str | None = None

    def __post_init__(self) -> None:
        concrete("name", self.name)
        if not _DOMAIN.fullmatch(self.name):
            raise invalid("name", self.name, "a domain name in lower case", "pass one such as 'status.example.com'")
        concrete("certificate_arn", self.certificate_arn)
        certificate_arn("certificate_arn", self.certificate_arn)
        if self.certificate_arn.split(":")[3] != _EDGE_REGION:
            fix = f"CloudFront takes certificates of {_EDGE_REGION} only; ask for another one there"
            raise invalid("certificate_arn", self.certificate_arn, f"of a certificate in {_EDGE_REGION}", fix)
        if self.hosted_zone_id is not None and not _ZONE.fullmatch(concrete("hosted_zone_id", self.hosted_zone_id)):
            fix = "pass one such as 'Z0123456789ABCDEFGHIJ'; it is no domain name"
            raise invalid("hosted_zone_id", self.hosted_zone_id, "the id of a Route 53 zone", fix)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPagePolicy:
    """What a status page shows, and where it is (lesson T5).

    Args:
        en: the title of the page in English, such as ``Shop status``; at most 80 characters.
        components: at least one, in the order in which they are shown, at most 17.
        ja: the title in Japanese; empty, the default: the page shows the English one.
        domain: an address of its own; ``None``, the default: CloudFront's name of the distribution.

    Raises:
        ValueError: a wrong title, no component or more than 17, or two of one name.
    """

    en: str
    components: tuple[StatusComponent, ...]
    ja: str = ""
    domain: StatusDomain | None = None

    def __post_init__(self) -> None:
        _check_titles(self.en, self.ja)
        tuple_of("components", self.components, StatusComponent, "(StatusComponent(name='web', en='Website'),)")
        names = [component.name for component in self.components]
        if not 1 <= len(names) <= COMPONENTS_AT_MOST:
            fix = "show what users know by name"
            raise invalid("components", names, f"1 to {COMPONENTS_AT_MOST} components", fix)
        if len(set(names)) != len(names):
            raise invalid("components", names, "all different", "name each once")
        if self.domain is not None and not isinstance(self.domain, StatusDomain):
            raise invalid("domain", self.domain, "a StatusDomain or None", "leave it out for CloudFront's own name")

    def alarm_names(self, application: str, environment: str) -> Iterator[str]:
        """All alarms that the page follows."""
        for component in self.components:
            yield from component.alarms(application, environment).values()


def _check_titles(en: str, ja: str) -> None:
    concrete("en", en, "say what users call it")
    for what, text in (("en", en), ("ja", ja)):
        if not isinstance(text, str) or len(text) > _LONGEST_TITLE or not (text.isprintable() and text == text.strip()):
            allowed = f"one line of at most {_LONGEST_TITLE} characters without spaces round it"
            raise invalid(what, text, allowed, "shorten it, and leave out line breaks")
