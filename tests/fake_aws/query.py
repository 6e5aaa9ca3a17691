"""Services of the Query protocol, such as CloudFormation: forms in, XML out, by botocore's models."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict

from tests.fake_aws.core import FakeAws, Fault, _Raw


class FakeAwsWithQuery(FakeAws):
    """Fake services, those of the Query protocol among them."""

    def attach(self, client: Any) -> None:
        """Answers the requests of a client that exists already."""
        model = client.meta.service_model
        if model.resolved_protocol != "query":
            super().attach(client)
            return

        def send(request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
            operation = model.operation_model(event_name.rsplit(".", 1)[-1])
            body = request.body or b""
            pairs = dict(parse_qsl(body.decode() if isinstance(body, bytes) else str(body)))
            params = _structure(operation.input_shape, pairs, "") if operation.input_shape else {}
            return self._answer_xml(model.service_name, operation, params)

        client.meta.events.register(f"before-send.{model.service_id.hyphenize()}", send)

    def _answer_xml(self, name: str, operation: Any, params: dict[str, Any]) -> AWSResponse:
        with self._lock:
            self.calls[f"{name}.{operation.name}"] += 1
            try:
                self.before(f"{name}.{operation.name}", params)
                status, text = 200, _response(operation, self.services[name].answer(operation.name, params))
            except Fault as fault:
                said = f"<Code>{fault.code}</Code><Message>{escape(fault.message)}</Message>"
                status, text = fault.status, f"<ErrorResponse><Error><Type>Sender</Type>{said}</Error></ErrorResponse>"
        raw: Any = _Raw(text.encode())
        headers: Any = HeadersDict({"content-type": "text/xml"})
        return AWSResponse("https://fake/", status, headers, raw)


def _structure(shape: Any, pairs: dict[str, str], prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, member in shape.members.items():
        name = f"{prefix}{member.serialization.get('name', key)}"
        if any(one == name or one.startswith(f"{name}.") for one in pairs):
            found[key] = _value(member, pairs, name)
    return found


def _value(shape: Any, pairs: dict[str, str], name: str) -> Any:
    if shape.type_name == "structure":
        return _structure(shape, pairs, f"{name}.")
    if shape.type_name == "list":
        inner = shape.member.serialization.get("name", "member")
        found, number = [], 1
        while any(one == f"{name}.{inner}.{number}" or one.startswith(f"{name}.{inner}.{number}.") for one in pairs):
            found.append(_value(shape.member, pairs, f"{name}.{inner}.{number}"))
            number += 1
        return found
    text = pairs[name]
    return {"boolean": lambda: text == "true", "integer": lambda: int(text)}.get(shape.type_name, lambda: text)()


def _response(operation: Any, body: dict[str, Any]) -> str:
    inner = ""
    if operation.output_shape is not None:
        wrapper = operation.output_shape.serialization.get("resultWrapper", f"{operation.name}Result")
        inner = f"<{wrapper}>{_xml(operation.output_shape, body)}</{wrapper}>"
    metadata = "<ResponseMetadata><RequestId>0</RequestId></ResponseMetadata>"
    return f"<{operation.name}Response>{inner}{metadata}</{operation.name}Response>"


def _xml(shape: Any, value: Any) -> str:
    if shape.type_name == "structure":
        unknown = set(value) - set(shape.members)
        assert not unknown, f"{shape.name} has no {unknown}"
        return "".join(
            f"<{name}>{_xml(member, value[key])}</{name}>"
            for key, member in shape.members.items()
            if key in value
            for name in [member.serialization.get("name", key)]
        )
    if shape.type_name == "list":
        name = shape.member.serialization.get("name", "member")
        return "".join(f"<{name}>{_xml(shape.member, one)}</{name}>" for one in value)
    if isinstance(value, datetime):
        return value.isoformat()
    return escape(str(value).lower() if isinstance(value, bool) else str(value))
