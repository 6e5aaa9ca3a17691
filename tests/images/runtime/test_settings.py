"""What the construct tells the function."""

from __future__ import annotations

import json

import pytest

from constructs_lib.images.runtime.references import RepositoryId
from constructs_lib.images.runtime.settings import VARIABLE, Settings

ARN = "arn:aws:ecr:eu-west-1:111111111111:repository/shop/staging/web"
TEXT = {
    "application": "shop",
    "environment": "staging",
    "table": "memory",
    "revisions_kept": 3,
    "releases_kept": 5,
    "repositories": [{"arn": ARN, "releases": ["/moorings/shop/staging/web/digest"]}],
}


def test_settings_are_read_from_one_variable() -> None:
    """Each release parameter belongs to one repository."""
    web = RepositoryId(registry="111111111111", region="eu-west-1", name="shop/staging/web")
    assert Settings.from_environment({VARIABLE: json.dumps(TEXT)}) == Settings(
        application="shop",
        environment="staging",
        table="memory",
        repositories=(web,),
        releases={"/moorings/shop/staging/web/digest": web},
        revisions_kept=3,
        releases_kept=5,
    )


@pytest.mark.parametrize("arn", ["shop/staging/web", "arn:aws:s3:::bucket", "arn:aws:ecr:eu-west-1:111111111111:x/y"])
def test_what_is_no_repository_is_refused(arn: str) -> None:
    """The guard does not start with a repository that it cannot look after."""
    with pytest.raises(ValueError, match="must be 'arn:aws:ecr:"):
        Settings.from_environment({VARIABLE: json.dumps({**TEXT, "repositories": [{"arn": arn, "releases": []}]})})
