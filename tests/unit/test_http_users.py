"""Who uses sessions."""

from typing import Any

import pytest

from http_api.errors import NotIdentified, NotPermitted
from http_api.settings import UserSettings
from http_api.users import caller
from tests.factories import cognito, iam, jwt, request

ENVIRONMENT = {"USER_CLAIM": "sub", "TRUSTED_ROLE_IDS": "AROATRUSTED, AROAOTHER"}


def user(authorizer: Any, **environment: str) -> str:
    settings = UserSettings.from_environment({**ENVIRONMENT, **environment})
    return caller(request("GET", "dlg-1", authorizer=authorizer), settings)


@pytest.mark.parametrize(
    ("authorizer", "expected"),
    [
        pytest.param(jwt("alice"), "alice", id="token"),
        pytest.param(cognito("eu-central-1:0d1c"), "eu-central-1:0d1c", id="cognito identity"),
        pytest.param(iam("AIDAEXAMPLE1"), "AIDAEXAMPLE1", id="iam user"),
        pytest.param(iam("AROATRUSTED:alice"), "AROATRUSTED:alice", id="listed role"),
        pytest.param(iam("AROAOTHER:alice"), "AROAOTHER:alice", id="other listed role, same session name"),
    ],
)
def test_given_an_identity_when_it_calls_then_it_is_a_user(authorizer: Any, expected: str) -> None:
    assert user(authorizer) == expected


def test_given_another_claim_when_a_token_calls_then_that_claim_names_the_user() -> None:
    assert user(jwt("alice", email="alice@example.com"), USER_CLAIM="email") == "alice@example.com"


@pytest.mark.parametrize(
    "user_id",
    [
        pytest.param("AROASTRANGER:alice", id="role that is not listed"),
        pytest.param("AROASTRANGER:AIDAEXAMPLE1", id="session named like an IAM user"),
        pytest.param("AROASTRANGER:AROATRUSTED", id="session named like a listed role"),
        pytest.param("AROATRUSTEDX:alice", id="role whose id begins like a listed one"),
        pytest.param("AROATRUSTED", id="listed role without a session"),
        pytest.param("111122223333", id="root"),
        pytest.param("111122223333:AIDAEXAMPLE1", id="federated user with a chosen name"),
        pytest.param("AIDAEXAMPLE1:alice", id="user id with a suffix"),
        pytest.param("AIDAEXAMPLE1\n", id="user id with a line break"),
        pytest.param("alice", id="a name"),
    ],
)
def test_given_an_identity_whose_name_is_chosen_by_the_caller_when_it_calls_then_it_is_not_permitted(
    user_id: str,
) -> None:
    with pytest.raises(NotPermitted) as refused:
        user(iam(user_id))

    assert refused.value.who == user_id


def test_given_a_guest_of_a_cognito_pool_when_they_call_then_they_are_not_permitted() -> None:
    with pytest.raises(NotPermitted):
        user(cognito("eu-central-1:0d1c", amr="unauthenticated"))


@pytest.mark.parametrize(
    "authorizer",
    [
        pytest.param(None, id="nobody"),
        pytest.param({}, id="empty"),
        pytest.param({"lambda": {"sub": "alice"}}, id="an authorizer that the template does not have"),
        pytest.param({"jwt": {"claims": {"iss": "https://issuer.example"}}}, id="token without the claim"),
        pytest.param({"jwt": {"claims": None}}, id="token without claims"),
        pytest.param(jwt(""), id="empty claim"),
        pytest.param({"jwt": {"claims": {"sub": ["alice"]}}}, id="claim that is no text"),
        pytest.param(jwt("a" * 1025), id="claim longer than a key"),
        pytest.param(jwt("\ud800"), id="claim that is not Unicode"),
        pytest.param(iam(None), id="signature without a user id"),
        pytest.param(iam(""), id="signature with an empty user id"),
    ],
)
def test_given_no_usable_identity_when_somebody_calls_then_they_are_not_identified(authorizer: Any) -> None:
    with pytest.raises(NotIdentified):
        user(authorizer)


def test_given_no_listed_role_when_any_role_calls_then_it_is_not_permitted() -> None:
    with pytest.raises(NotPermitted):
        user(iam("AROATRUSTED:alice"), TRUSTED_ROLE_IDS="")
