"""STS, as far as it says who calls."""

from __future__ import annotations

from typing import Any

from tests.fake_aws.core import ACCOUNT, Fault, Params

CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/operator/somebody"


class FakeSts:
    """Everybody is the same caller."""

    name = "sts"

    def answer(self, operation: str, _params: Params) -> dict[str, Any]:
        """The body of a response."""
        if operation != "GetCallerIdentity":
            raise Fault("AccessDenied", operation, 403)
        return {"UserId": "AROA:somebody", "Account": ACCOUNT, "Arn": CALLER}
