"""Every answer of the function behind the setting's routes fits the OpenAPI document, and every one there is given."""

from collections.abc import Iterator
from typing import Any, Final

import boto3
import pytest

from admin import application
from tests import documented
from tests.documented import DOCUMENT
from tests.factories import cognito
from tests.integration.test_admin import OFF, PATH, USER, Admin, Answer

GUEST: Final = cognito("eu-central-1:0d1c", amr="unauthenticated")


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[Admin]:
    yield Admin(monkeypatch)
    application.application.cache_clear()
    boto3.setup_default_session()


def schema(response: Any) -> Any:
    return response["content"]["application/json"]["schema"]


def fits(method: str, answer: Answer) -> int:
    """Check an answer against what the document says of it, and return its status."""
    documented.fits(PATH, method, answer.status, answer.text, answer.headers)
    return answer.status


def of_the_function(method: str) -> set[int]:
    """Return the documented statuses that are not API Gateway's alone."""
    gateway = {"$ref": "#/components/schemas/GatewayMessage"}
    responses = DOCUMENT["paths"][PATH][method]["responses"]
    return {int(status) for status, response in responses.items() if schema(response) != gateway}


def test_setting_when_it_is_read_then_each_answer_fits_and_each_that_can_be_is_given(admin: Admin) -> None:
    given = {fits("get", admin.get()), fits("get", admin.get(None)), fits("get", admin.get(GUEST))}
    admin.other.change(False, "carol", 0)
    given.add(fits("get", admin.get()))  # Somebody changed it, at some time.
    with admin.faults.failing("dynamodb.GetItem", "ThrottlingException"):
        given.add(fits("get", admin.get()))
    with admin.faults.failing("dynamodb.GetItem", "AccessDeniedException"):
        given.add(fits("get", admin.get()))

    # The router answers 400 to any request that it cannot read; one without body and parameters has nothing to be read.
    assert given == of_the_function("get") - {400}


def test_setting_when_it_is_changed_then_each_answer_fits_and_each_that_is_documented_is_given(admin: Admin) -> None:
    given = {
        fits("put", admin.put({})),
        fits("put", admin.put({"enabled": False, "version": 0})),
        fits("put", admin.put(OFF, None)),
        fits("put", admin.put(OFF, USER)),
        fits("put", admin.put("x" * 3_200_000)),
        fits("put", admin.put("enabled=false", content_type="text/plain")),
        fits("put", admin.put(OFF)),
        fits("put", admin.put(OFF)),  # It was at version 0, and is no longer.
    }
    with admin.faults.failing("dynamodb.TransactWriteItems", "InternalServerError", status=500):
        given.add(fits("put", admin.put({"enabled": True, "version": 1})))
    with admin.faults.failing("sqs.SendMessage", "AccessDenied", status=403):
        given.add(fits("put", admin.put({"enabled": True, "version": 1})))

    assert given == of_the_function("put")
