"""Who calls the admin function, and what that allows."""

from typing import Any

import pytest

from admin.identity import Caller, caller
from admin.settings import AdminSettings
from http_api.errors import NotIdentified
from tests.factories import cognito, iam, jwt

ENVIRONMENT = {"CONTROL_TABLE_NAME": "control", "WORK_QUEUE_URL": "https://sqs.example/work"}
ADMIN = {"cognito:groups": "[staff admin]"}


def who(authorizer: Any, **environment: str) -> Caller:
    settings = AdminSettings.from_environment({**ENVIRONMENT, **environment})
    event = {"requestContext": {} if authorizer is None else {"authorizer": authorizer}}
    return caller(event, settings)


@pytest.mark.parametrize(
    ("authorizer", "expected"),
    [
        pytest.param(jwt("alice", **ADMIN), Caller("alice", may_change=True), id="administrator"),
        pytest.param(jwt("bob", **{"cognito:groups": "[staff]"}), Caller("bob"), id="member of other groups"),
        pytest.param(jwt("bob"), Caller("bob"), id="member of none"),
        pytest.param(jwt("admin"), Caller("admin"), id="user named like the group"),
        pytest.param(jwt("bob", groups="[admin]"), Caller("bob"), id="the group in another claim"),
        pytest.param(iam("AIDAEXAMPLE1"), Caller("AIDAEXAMPLE1"), id="iam user"),
        pytest.param(iam("AROAEXAMPLE:admin"), Caller("AROAEXAMPLE:admin"), id="role, session named like the group"),
        pytest.param(cognito("eu-central-1:0d1c"), Caller("eu-central-1:0d1c"), id="cognito identity"),
        pytest.param(
            cognito("eu-central-1:0d1c", amr="unauthenticated"),
            Caller("eu-central-1:0d1c", may_read=False),
            id="guest of a cognito pool",
        ),
    ],
)
def test_given_an_identity_when_it_calls_then_it_may_do_what_it_may(authorizer: Any, expected: Caller) -> None:
    assert who(authorizer) == expected


def test_given_other_claims_by_setting_when_a_token_calls_then_those_count() -> None:
    environment = {"USER_CLAIM": "email", "ADMIN_GROUP_CLAIM": "role", "ADMIN_GROUP": "operators"}
    token = jwt("alice", email="alice@example.com", role="operators", **ADMIN)

    assert who(token, **environment) == Caller("alice@example.com", may_change=True)
    assert who(jwt("alice", email="alice@example.com", **ADMIN), **environment).may_change is False


@pytest.mark.parametrize(
    "authorizer",
    [
        pytest.param(None, id="nobody"),
        pytest.param({}, id="empty"),
        pytest.param({"lambda": {"sub": "alice"}}, id="an authorizer that the template does not have"),
        pytest.param({"jwt": {"claims": ADMIN}}, id="administrator without a name"),
        pytest.param({"jwt": {"claims": None}}, id="token without claims"),
        pytest.param(jwt(""), id="empty claim"),
        pytest.param({"jwt": {"claims": {"sub": ["alice"]}}}, id="claim that is no text"),
        pytest.param(jwt("a" * 1025), id="claim that is too long"),
        pytest.param(jwt("\ud800"), id="claim that is not Unicode"),
        pytest.param(iam(None), id="signature without a user id"),
    ],
)
def test_given_no_usable_identity_when_somebody_calls_then_they_are_not_identified(authorizer: Any) -> None:
    with pytest.raises(NotIdentified):
        who(authorizer)
