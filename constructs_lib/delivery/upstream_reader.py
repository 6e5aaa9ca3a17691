"""The role by which the next environment, in another account, reads images and ledger (lessons Q1, Q7)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.checks import concrete, environment_name, invalid, name
from constructs_lib.delivery.permissions import reading
from constructs_lib.iam_policy import document
from constructs_lib.naming import reader_role_name, release_path, repository_name
from constructs_lib.places import arns_of


class UpstreamReader(Construct):
    """A role that another account may assume to read this environment's images and ledgers (lessons Q1, Q7).

    It can read the images of these services and which of them ran here; it can write nothing. It trusts the accounts,
    not single roles, because a trust policy cannot name a role that is not there yet. So IAM there decides who may
    assume it: promotions and release buttons are given it. In the same account it is not needed: the roles there are
    given these rights directly.

    Its name is :func:`constructs_lib.naming.reader_role_name`, which the other account computes.

    Args:
        application: the application, such as ``shop``.
        environment: this environment, such as ``staging``.
        services: the services whose images and ledgers are read; at least one.
        accounts: the accounts of the environments that read, 12 digits each; at least one.

    Attributes:
        role: the role.

    Raises:
        ValueError: no service, no account, one that is not 12 digits, or a wrong name.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        application: str,
        environment: str,
        services: Sequence[str],
        accounts: Sequence[str],
    ) -> None:
        name("application", application)
        environment_name("environment", environment)
        if isinstance(services, str) or not services or len(set(services)) != len(services):
            raise invalid("services", services, "a list of at least one service, all different", "pass such as ['web']")
        if isinstance(accounts, str) or not accounts:
            raise invalid("accounts", accounts, "a list of at least one account", "in one account leave the role out")
        for account in accounts:
            if not re.fullmatch(r"[0-9]{12}", concrete("accounts", account), re.ASCII):
                raise invalid("accounts", account, "12 digits in quotes", "pass the account that promotes from here")
        repositories = [repository_name(application, environment, service) for service in services]
        paths = [release_path(application, environment, service) for service in services]
        super().__init__(scope, id)
        self.role = iam.Role(
            self,
            "Resource",
            role_name=reader_role_name(application, environment),
            assumed_by=iam.CompositePrincipal(*(iam.AccountPrincipal(account) for account in sorted(set(accounts)))),
            description="Reads images and ledgers for the next environment; writes nothing (lessons Q1, Q7)",
            inline_policies={
                "Read": iam.PolicyDocument.from_json(
                    document(*reading(arns_of(scope), repositories, paths, layers=True))
                )
            },
        )
