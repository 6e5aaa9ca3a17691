"""What ``make destroy`` says."""

from __future__ import annotations

import pytest

from stacks import retained


def test_it_names_the_environments_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong name stops before anything is deleted, and says which names are right."""
    assert retained.main(["nope"]) == 2
    assert capsys.readouterr().err == "ENV must be one of staging, production, got nope\n"


def test_an_environment_that_takes_images_from_another_says_what_stays(capsys: pytest.CaptureFixture[str]) -> None:
    """Production needs staging to be synthesized, and only its own is named."""
    assert retained.main(["production"]) == 0
    said = capsys.readouterr().out
    assert "AWS::ECR::Repository: shop/production/web" in said
    assert "shop/staging" not in said


def test_it_says_what_stays_and_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    """The repository is named, and both ways to deal with it."""
    assert retained.main(["staging"]) == 0
    said = capsys.readouterr().out
    assert "AWS::ECR::Repository: shop/staging/web" in said
    assert "AWS::SSM::Parameter: /moorings/shop/staging/web/digest" in said
    assert "AWS::SSM::Parameter: /moorings/shop/staging/web/releases/…, the ledger" in said
    assert "shop/production" not in said
    assert "AWS::Logs::LogGroup: /aws/events/moorings/shop/staging\n" in said
    assert "cdk import 'staging/images'" in said
    assert "cdk import 'staging/observability'" in said
