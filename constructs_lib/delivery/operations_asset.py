"""This package as the source of CodeBuild projects, so that a button runs what a terminal runs (lesson Q5)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aws_cdk import IgnoreMode
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from constructs_lib.delivery.permissions import CodeObject

# The last pattern that fits decides. What Python leaves beside its modules differs from machine to machine.
_EXCLUDE: Final = ("*", "!*/", "!*.py", "!*.sh", "!*.yaml", "__pycache__/")


class OperationsAsset(Construct):
    """The package ``constructs_lib`` in S3, for promotions and releases in CodeBuild (lesson Q5).

    ``cdk deploy`` uploads it to the bucket of CDK's bootstrap, under a name that is a hash of its content. CodeBuild's
    standard images of Amazon Linux 2023 hold Python, boto3 and PyYAML
    (https://github.com/aws/aws-codebuild-docker-images), so a project needs nothing besides, and a rollback depends on
    no package index. Only ``.py``, ``.sh`` and ``.yaml`` files are in it.

    A role that reads it needs ``constructs_lib.delivery.permissions.read_code(asset.code)``: this one object, not the
    bucket. A bucket that has a key of its own, made by ``cdk bootstrap --bootstrap-customer-key``, needs nothing more:
    the key's policy admits its account through S3. A key that was made otherwise must admit the roles, or they it
    (``key.grant_decrypt(pipeline.role)``).

    One for each stack is enough for all its projects.

    Attributes:
        asset: the asset.
        code: where it is.
        source: it as the source of a CodeBuild project.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.asset = s3_assets.Asset(
            self,
            "Resource",
            path=str(Path(__file__).resolve().parents[1]),
            exclude=list(_EXCLUDE),
            ignore_mode=IgnoreMode.GIT,
        )
        bucket = self.asset.bucket
        self.bucket_name = self.asset.s3_bucket_name
        self.code = CodeObject(bucket_arn=bucket.bucket_arn, key=self.asset.s3_object_key)
        self.source: codebuild.ISource = codebuild.Source.s3(bucket=bucket, path=self.code.key)
