"""Finds the delivery settings of a service by what a person types (lesson Q5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from constructs_lib.delivery.settings import DeliverySettings

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

_WORD: Final = "[a-z0-9-]+"
_NAME: Final = re.compile(f"/moorings/({_WORD})/({_WORD})/({_WORD})/delivery")
"""The names that :func:`constructs_lib.naming.delivery_settings_name` gives."""

_BATCH: Final = 10  # names that GetParameters takes


class SettingsNotFound(LookupError):  # noqa: N818  (what it says to a person)
    """No service, or more than one, is what was typed (lesson Q5).

    Attributes:
        places: the services that it could mean; all that there are when it means none.
    """

    def __init__(self, sentence: str, places: Sequence[str]) -> None:
        super().__init__(sentence)
        self.places = tuple(places)


def find(ssm: SSMClient, text: str) -> DeliverySettings:
    """The settings of the service that ``production``, ``shop/production`` or ``shop/production/web`` names.

    A whole name is read by one call, and needs no permission to list.

    Raises:
        SettingsNotFound: not exactly one service of this account and region has that name.
        ValueError: the settings cannot be read.
    """
    whole = f"/moorings/{text}/delivery"
    if _NAME.fullmatch(whole) and (found := _read(ssm, [whole])):
        return found[0]
    names = _names(ssm)
    places = [place for name in names if _means(text, place := _place(name))]
    if len(places) == 1 and (found := _read(ssm, [f"/moorings/{places[0]}/delivery"])):
        return found[0]
    if len(places) > 1:
        raise SettingsNotFound(f"ENV must name one service, got {text!r}; say which: {', '.join(places)}", places)
    there = [_place(name) for name in names]
    raise SettingsNotFound(
        f"ENV must name a service that can be released in {ssm.meta.region_name}, got {text!r}; "
        + (f"there are: {', '.join(there)}" if there else "there is none: look at --region and --profile, or deploy"),
        there,
    )


def all_settings(ssm: SSMClient) -> list[DeliverySettings]:
    """The settings of every service of this account and region, by name.

    Raises:
        ValueError: some cannot be read.
    """
    return _read(ssm, _names(ssm))


def _means(text: str, place: str) -> bool:
    """Whether ``production``, ``shop/production`` or ``shop/production/web`` is this place."""
    application, environment, _ = place.split("/")
    return text in (environment, f"{application}/{environment}", place)


def _names(ssm: SSMClient) -> list[str]:
    """Names of all settings. A list without values can be filtered by name, and one with values cannot."""
    pages = ssm.get_paginator("describe_parameters").paginate(
        ParameterFilters=[{"Key": "Name", "Option": "Contains", "Values": ["/delivery"]}],
        PaginationConfig={"PageSize": 50},
    )
    return sorted(one["Name"] for page in pages for one in page["Parameters"] if _NAME.fullmatch(one["Name"]))


def _read(ssm: SSMClient, names: Sequence[str]) -> list[DeliverySettings]:
    """The settings under these names, but for those that are gone."""
    found: dict[str, str] = {}
    for batch in _batches(names):
        answer = ssm.get_parameters(Names=batch)
        found |= {one["Name"]: one["Value"] for one in answer["Parameters"]}
    return [_settings(name, found[name]) for name in names if name in found]


def _settings(name: str, value: str) -> DeliverySettings:
    try:
        settings = DeliverySettings.from_json(value)
    except ValueError as error:
        raise ValueError(f"the parameter {name} cannot be read: {error}") from error
    if settings.place != _place(name):
        raise ValueError(
            f"the parameter {name} must hold the settings of {_place(name)}, got those of {settings.place!r}; "
            "deploy the services' stack again"
        )
    return settings


def _place(name: str) -> str:
    return name.removeprefix("/moorings/").removesuffix("/delivery")


def _batches(names: Sequence[str]) -> Iterable[list[str]]:
    return (list(names[start : start + _BATCH]) for start in range(0, len(names), _BATCH))
