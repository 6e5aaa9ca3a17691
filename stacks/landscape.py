"""How the environments stand to each other: which comes before which, and who may read where. Pure Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from constructs_lib.checks import invalid
from constructs_lib.naming import repository_name
from constructs_lib.observability.notification.targets import SlackTarget, TeamsTarget, place_of
from stacks.config import EnvironmentConfig
from stacks.releases import Promotion


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """What one environment must know of the others: names, never references.

    Args:
        before: the environment in which an image must have run before; ``None`` when there is none.
        readers: other accounts whose environments come after this one.
    """

    before: EnvironmentConfig | None = None
    readers: tuple[str, ...] = ()


def neighbours(config: EnvironmentConfig, environments: Sequence[EnvironmentConfig]) -> Neighbours:
    """Of one of the environments, which have been checked."""
    return Neighbours(
        before=next((one for one in environments if one.name == config.before), None),
        readers=tuple(
            sorted(
                {
                    one.account
                    for one in environments
                    if one.before == config.name and one.account is not None and one.account != config.account
                }
            )
        ),
    )


def check_environments(environments: Sequence[EnvironmentConfig]) -> Sequence[EnvironmentConfig]:
    """``environments`` itself, refused when two of them would share a repository, or an image could not come from where
    it must (lessons Q1, Q7).

    Raises:
        ValueError: none at all, two with one name, two with one repository in the same account and region, two with one
            chat channel in the same account, or an environment before another that does not fit it.
    """
    if not environments:
        raise invalid("environments", environments, "at least one", "add an EnvironmentConfig")
    owners: dict[tuple[str | None, str, str], str] = {}
    names = [environment.name for environment in environments]
    for environment in environments:
        for service in environment.services:
            repository = repository_name(environment.application, environment.name, service.name)
            key = (environment.account, environment.region, repository)
            if key in owners:
                raise invalid(
                    "repository",
                    repository,
                    "one environment's only",
                    f"{owners[key]!r} and {environment.name!r} would push to it both; rename one (lesson Q1)",
                )
            owners[key] = environment.name
    if len(set(names)) != len(names):
        raise invalid("environments", names, "all of different names", "rename one; the name is the stage's")
    _check_channels(environments)
    by_name = {environment.name: environment for environment in environments}
    for environment in environments:
        if environment.before is not None:
            _check_before(environment, by_name)
    return environments


def _check_channels(environments: Sequence[EnvironmentConfig]) -> None:
    """Refuses a chat channel that two environments of one account are told in: the second would not deploy.

    Amazon Q Developer takes one configuration for a channel in an account, of whatever Region
    (https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1155).
    """
    owners: dict[tuple[str | None, ...], str] = {}
    for environment in environments:
        for target in environment.notify:
            if not isinstance(target, SlackTarget | TeamsTarget):
                continue
            key = (environment.account, *place_of(target))
            if key in owners:
                raise invalid(
                    "notify",
                    target,
                    "a channel of one environment only in an account",
                    f"{owners[key]!r} and {environment.name!r} name it both; give each a channel of its own",
                )
            owners[key] = environment.name


def _check_before(config: EnvironmentConfig, by_name: dict[str, EnvironmentConfig]) -> None:
    """Refuses an environment before another that is not there, leads in a circle, or has other services."""
    assert config.before is not None
    what = "source" if isinstance(config.source, Promotion) else "upstream"
    before = by_name.get(config.before)
    if before is None:
        raise invalid(
            what, config.before, f"one of {', '.join(by_name)}", f"{config.name!r} takes images that ran there"
        )
    way = [config.name]
    while (last := by_name.get(way[-1])) is not None and last.before is not None:
        way.append(last.before)
        if way.count(way[-1]) > 1:
            raise invalid(what, " after ".join(way), "no circle", "let the first environment build from a branch")
    if before.application != config.application:
        raise invalid(
            what,
            f"{before.application}/{before.name}",
            f"an environment of {config.application}",
            "names of repositories and ledgers begin with the application",
        )
    if (before.account is None) != (config.account is None):
        raise invalid(
            "account",
            config.account,
            f"named for both or neither of {before.name!r} and {config.name!r}",
            "whether they share an account decides how one reads the other",
        )
    _check_services(config, before)


def _check_services(config: EnvironmentConfig, before: EnvironmentConfig) -> None:
    ours, theirs = ({service.name for service in one.services} for one in (config, before))
    if ours != theirs:
        raise invalid(
            "services",
            sorted(ours),
            f"those of {before.name!r}, {', '.join(sorted(theirs))}",
            "each service takes an image that ran there",
        )
    if isinstance(config.source, Promotion):
        fits, ran = _platforms(config), _platforms(before)
        for service in sorted(ours):
            if fits[service] != ran[service]:
                raise invalid(
                    "architecture",
                    fits[service],
                    f"{ran[service]!r} for {service!r}, as in {before.name!r}",
                    "a promoted image is the same bytes",
                )


def _platforms(config: EnvironmentConfig) -> dict[str, str]:
    return {service.name: config.size_of(service).task.architecture for service in config.services}
