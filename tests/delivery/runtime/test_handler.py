"""The handler against SSM's own API model (botocore's Stubber): what is asked, and what CloudFormation is told."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from constructs_lib.delivery.runtime import handler
from constructs_lib.delivery.runtime.decision import ALLOWED_PATTERN, DESCRIPTION

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

NAME = "/moorings/shop/staging/web/digest"
OTHER = "/moorings/shop/staging/worker/digest"
URL = "https://cloudformation.example/answer?X-Amz-Signature=very-secret"
PUT = {
    "Name": NAME,
    "Value": "none",
    "Type": "String",
    "Tier": "Standard",
    "Overwrite": False,
    "AllowedPattern": ALLOWED_PATTERN,
    "Description": DESCRIPTION,
}


def request(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ResponseURL": URL,
        "ResourceProperties": {"ServiceToken": "arn", "Name": NAME},
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Parameter",
        **more,
    }


class Cloud:
    """A stubbed SSM and the answers that were sent."""

    def __init__(self) -> None:
        self.client: SSMClient = boto3.client(
            "ssm", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        self.ssm = Stubber(self.client)
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def handle(self, event: dict[str, Any]) -> dict[str, Any]:
        with self.ssm:
            handler.handle(event, lambda: self.client, lambda url, body: self.sent.append((url, json.loads(body))))
            self.ssm.assert_no_pending_responses()
        ((url, reply),) = self.sent
        assert url == URL
        return reply


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def test_create_makes_the_parameter_with_none_and_never_overwrites(cloud: Cloud) -> None:
    cloud.ssm.add_response("put_parameter", {"Version": 1}, PUT)
    assert cloud.handle(request("Create")) == {
        "Status": "SUCCESS",
        "PhysicalResourceId": NAME,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Parameter",
    }


def test_create_keeps_a_value_that_is_there(cloud: Cloud) -> None:
    cloud.ssm.add_client_error("put_parameter", "ParameterAlreadyExists", expected_params=PUT)
    assert cloud.handle(request("Create"))["Status"] == "SUCCESS"


def test_an_update_only_looks_whether_it_is_there(cloud: Cloud) -> None:
    cloud.ssm.add_response("get_parameter", {"Parameter": {"Name": NAME}}, {"Name": NAME})
    reply = cloud.handle(request("Update", PhysicalResourceId=NAME))
    assert (reply["Status"], reply["PhysicalResourceId"]) == ("SUCCESS", NAME)


def test_an_update_without_the_parameter_fails_writes_nothing_and_says_how_to_restore_it(cloud: Cloud) -> None:
    cloud.ssm.add_client_error("get_parameter", "ParameterNotFound", expected_params={"Name": NAME})
    reply = cloud.handle(request("Update", PhysicalResourceId=NAME))
    assert (reply["Status"], reply["PhysicalResourceId"]) == ("FAILED", NAME)
    assert f"aws ssm put-parameter --name {NAME} " in reply["Reason"]


def test_a_new_name_is_made_if_it_is_absent(cloud: Cloud) -> None:
    cloud.ssm.add_response("put_parameter", {"Version": 1}, PUT)
    reply = cloud.handle(request("Update", PhysicalResourceId=OTHER))
    assert (reply["Status"], reply["PhysicalResourceId"]) == ("SUCCESS", NAME)


def test_delete_leaves_the_parameter_and_asks_nothing(cloud: Cloud) -> None:
    def no_client() -> SSMClient:
        raise AssertionError("a deletion needs no client")

    handler.handle(
        request("Delete", PhysicalResourceId=NAME),
        no_client,
        lambda _, body: cloud.sent.append((URL, json.loads(body))),
    )
    assert (cloud.sent[0][1]["Status"], cloud.sent[0][1]["PhysicalResourceId"]) == ("SUCCESS", NAME)


@pytest.mark.parametrize(
    ("kind", "operation", "name"),
    [("Create", "put_parameter", "PutParameter"), ("Update", "get_parameter", "GetParameter")],
)
def test_an_error_of_aws_is_told_with_its_code(cloud: Cloud, kind: str, operation: str, name: str) -> None:
    cloud.ssm.add_client_error(operation, "AccessDeniedException", "not authorized")
    reply = cloud.handle(request(kind, PhysicalResourceId=NAME))
    assert reply["Status"] == "FAILED"
    assert reply["Reason"] == f"{name} of {NAME} failed: AccessDeniedException: not authorized"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (request("Create", ResourceProperties={}), "Name must be"),
        (request("Unknown"), "RequestType must be"),
    ],
)
def test_a_request_that_makes_no_sense_is_answered(cloud: Cloud, event: dict[str, Any], reason: str) -> None:
    reply = cloud.handle(event)
    assert reply["Status"] == "FAILED"
    assert reason in reply["Reason"]


@pytest.mark.parametrize(
    "error", [RuntimeError("password=hunter2"), EndpointConnectionError(endpoint_url="https://hunter2")]
)
def test_an_unexpected_error_is_answered_without_its_text(
    error: Exception, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> SSMClient:
        raise error

    sent: list[dict[str, Any]] = []
    handler.handle(request("Create"), broken, lambda _, body: sent.append(json.loads(body)))
    (reply,) = sent
    assert (reply["Status"], reply["PhysicalResourceId"]) == ("FAILED", "not-created")
    assert reply["Reason"] == f"{type(error).__name__}, see the log of this function"
    assert "hunter2" in caplog.text
    assert "very-secret" not in caplog.text + capsys.readouterr().out


def test_an_answer_that_cannot_be_sent_is_raised_so_that_lambda_tries_again(cloud: Cloud) -> None:
    def offline(_url: str, _body: bytes) -> None:
        raise OSError("no network")

    cloud.ssm.add_response("put_parameter", {"Version": 1}, PUT)
    with cloud.ssm, pytest.raises(OSError, match="no network"):
        handler.handle(request("Create"), lambda: cloud.client, offline)


def test_the_client_gives_up_before_the_function_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    config: Any = handler.connect().meta.config
    longest = config.retries["total_max_attempts"] * (config.connect_timeout + config.read_timeout)
    assert longest < 40  # seconds; the function has 60 and sends its answer within 10


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[str, str | None, bytes]]]]:
    """A web server that keeps what is put to it, as the pre-signed address does."""
    got: list[tuple[str, str | None, bytes]] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, self.headers["Content-Type"], body))
            self.send_response(200 if "ok" in self.path else 403)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_answer_is_put_with_an_empty_content_type(
    receiver: tuple[str, list[tuple[str, str | None, bytes]]],
) -> None:
    """The pre-signed address is signed for an empty content type; another one is refused."""
    url, got = receiver
    handler.put(f"{url}/ok?signature=x", b"{}")
    assert got == [("/ok?signature=x", "", b"{}")]


def test_a_refused_answer_is_an_error_that_does_not_show_the_address(
    receiver: tuple[str, list[tuple[str, str | None, bytes]]],
) -> None:
    url, _ = receiver
    with pytest.raises(OSError, match="403") as caught:
        handler.put(f"{url}/refused?signature=secret", b"{}")
    assert "secret" not in str(caught.value)


def test_an_address_that_is_not_http_is_refused() -> None:
    with pytest.raises(ValueError, match="must be http or https"):
        handler.put("file:///etc/passwd", b"{}")


def test_main_connects_and_sends(monkeypatch: pytest.MonkeyPatch, cloud: Cloud) -> None:
    sent: list[str] = []
    monkeypatch.setattr(handler, "connect", lambda: cloud.client)
    monkeypatch.setattr(handler, "put", lambda url, _body: sent.append(url))
    handler.main(request("Delete", PhysicalResourceId=NAME), None)
    assert sent == [URL]
