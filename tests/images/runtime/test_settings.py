"""What the construct tells the function."""

from __future__ import annotations

import json
import re

import pytest

from constructs_lib.images.runtime.references import RepositoryId
from constructs_lib.images.runtime.settings import VARIABLE, Settings

ARN = "arn:aws:ecr:eu-west-1:111111111111:repository/shop/staging/web"
TEXT = {
    "application": "shop",
    "environment": "staging",
    "account": "111111111111",
    "region": "eu-west-1",
    "table": "memory",
    "revisions_kept": 3,
    "releases_kept": 5,
    "repositories": [{"repository": ARN, "releases": ["/moorings/shop/staging/web/digest"]}],
}


def test_settings_are_read_from_one_variable() -> None:
    """Each release parameter belongs to one repository."""
    web = RepositoryId(registry="111111111111", region="eu-west-1", name="shop/staging/web")
    assert Settings.from_environment({VARIABLE: json.dumps(TEXT)}) == Settings(
        application="shop",
        environment="staging",
        account="111111111111",
        region="eu-west-1",
        table="memory",
        repositories=(web,),
        releases={"/moorings/shop/staging/web/digest": web},
        revisions_kept=3,
        releases_kept=5,
    )


@pytest.mark.parametrize("arn", ["arn:aws:s3:::bucket", "arn:aws:ecr:eu-west-1:111111111111:x/y"])
def test_what_is_no_repository_is_refused(arn: str) -> None:
    """The guard does not start with a repository that it cannot look after."""
    with pytest.raises(ValueError, match="must be 'arn:aws:ecr:"):
        Settings.from_environment(
            {VARIABLE: json.dumps({**TEXT, "repositories": [{"repository": arn, "releases": []}]})}
        )


def test_a_name_is_a_repository_beside_the_guard() -> None:
    """Names are shorter than ARNs, and a function's environment holds 4 KB."""
    by_name = {**TEXT, "repositories": [{"repository": "shop/staging/web", "releases": []}]}
    (repository,) = Settings.from_environment({VARIABLE: json.dumps(by_name)}).repositories
    assert repository == RepositoryId.from_arn(ARN)


@pytest.mark.parametrize("field", ["account", "region", "application", "environment"])
def test_every_guard_has_its_own_mark(field: str) -> None:
    """Two guards differ in one of these at least, so neither takes the other's slots for its own."""
    ours = Settings.from_environment({VARIABLE: json.dumps(TEXT)})
    other = Settings.from_environment({VARIABLE: json.dumps({**TEXT, field: "another"})})
    assert re.fullmatch("[0-9a-f]{6}", ours.writer)
    assert ours.writer != other.writer
    assert ours.writer == Settings.from_environment({VARIABLE: json.dumps({**TEXT, "table": "new"})}).writer
