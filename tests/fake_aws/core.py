"""AWS without AWS: real boto3 clients, whose requests are answered in this process.

boto3 checks every parameter against the API's own model, serializes it, retries and parses, as it does on AWS. Only the
network is left out. What the answers mean is our model of AWS, and no proof about it.
"""

from __future__ import annotations

import io
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.config import Config

from constructs_lib.images.runtime import aws

ACCOUNT = "111111111111"
REGION = "eu-west-1"

Params = Mapping[str, Any]
Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""


class Fault(Exception):  # noqa: N818  (the services call it so)
    """An error as the service answers it."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


class Service(Protocol):
    """One fake service: ``answer("ListTasks", params)`` gives the body of the response, or raises a ``Fault``."""

    name: str

    def answer(self, operation: str, params: Params) -> dict[str, Any]: ...


class RawService:
    """A fake service whose requests and answers are more than JSON."""

    def respond(self, operation: str, request: AWSPreparedRequest) -> Answer:
        """The answer to a request as it is sent."""
        raise NotImplementedError

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """Never asked."""
        raise NotImplementedError


class FakeAws:
    """Some fake services behind real clients.

    Attributes:
        calls: how often each ``service.Operation`` was called, retries included.
        before: called with ``service.Operation`` and the parameters before a call is answered; it may raise a
            ``Fault``, or change the world in the middle of a scan.
    """

    def __init__(self, *services: Service) -> None:
        self.services = {service.name: service for service in services}
        self.calls: Counter[str] = Counter()
        self.before: Callable[[str, Params], None] = lambda _operation, _params: None
        self._lock = threading.Lock()

    def client(self, name: str, **config: Any) -> Any:
        """A boto3 client whose requests come here. It calls as the guard's do, but for what ``config`` changes."""
        session: Any = boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
        if name == "s3":
            # Who deploys to the local cloud in this process sets its address, with which requests to S3 look otherwise.
            config = {"ignore_configured_endpoint_urls": True, **config}
        client = session.client(name, config=aws.config().merge(Config(**config)))
        self.attach(client)
        return client

    def attach(self, client: Any) -> None:
        """Answers the requests of a client that exists already."""
        name = client.meta.service_model.service_name

        def send(request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
            operation = event_name.rsplit(".", 1)[-1]
            service = self.services[name]
            if isinstance(service, RawService):
                return self._respond(f"{name}.{operation}", request, service)
            return self._answer(name, operation, _params(request))

        client.meta.events.register(f"before-send.{client.meta.service_model.service_id.hyphenize()}", send)

    def _respond(self, called: str, request: AWSPreparedRequest, service: RawService) -> AWSResponse:
        """Answers with a raw service; ``before`` may call AWS again."""
        self.calls[called] += 1
        self.before(called, {"url": request.url})
        with self._lock:
            status, headers, body = service.respond(called.split(".", 1)[1], request)
        raw: Any = _Raw(body)
        named: Any = HeadersDict(headers)
        return AWSResponse(request.url, status, named, raw)

    def _answer(self, name: str, operation: str, params: Params) -> AWSResponse:
        with self._lock:
            self.calls[f"{name}.{operation}"] += 1
            try:
                self.before(f"{name}.{operation}", params)
                status, body = 200, self.services[name].answer(operation, params)
            except Fault as fault:
                status, body = fault.status, {"__type": fault.code, "message": fault.message}
        headers = {"x-amzn-errortype": body["__type"]} if status != 200 else {}
        raw: Any = _Raw(json.dumps(body, default=str).encode())
        named: Any = HeadersDict(headers)
        return AWSResponse("https://fake/", status, named, raw)


class _Raw(io.BytesIO):
    """What urllib3 gives, as far as botocore reads it."""

    def stream(self, *_args: Any, **_kwargs: Any) -> Any:
        yield self.read()


def _params(request: AWSPreparedRequest) -> Params:
    """The parameters of a JSON protocol; of a REST one, its path and query."""
    body = request.body or b"{}"
    text = body.decode() if isinstance(body, bytes) else str(body)
    params: dict[str, Any] = json.loads(text or "{}")
    if "x-amz-target" not in {key.lower() for key in request.headers}:
        params["url"] = request.url
    return params


def page(
    items: list[Any],
    params: Params,
    *,
    size: int,
    token: str = "nextToken",  # noqa: S107  (it is a page's, and no secret)
) -> tuple[list[Any], dict[str, str]]:
    """One page of a list, and where the next begins, as the parameters ask for."""
    start = int(params.get(token, 0))
    rest = {token: str(start + size)} if start + size < len(items) else {}
    return items[start : start + size], rest
