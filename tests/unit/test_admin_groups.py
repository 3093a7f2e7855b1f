"""The groups in a token's claim, as an HTTP API hands it over."""

import pytest

from admin.groups import groups

COGNITO = "cognito:groups"
OTHER = "groups"


@pytest.mark.parametrize(
    ("claim", "content", "expected"),
    [
        pytest.param(COGNITO, "[admin]", {"admin"}, id="one group"),
        pytest.param(COGNITO, "[staff admin]", {"staff", "admin"}, id="several groups"),
        pytest.param(COGNITO, "admin", {"admin"}, id="text"),
        pytest.param(OTHER, "[admin]", {"admin"}, id="other claim: one group"),
        pytest.param(OTHER, "admin", {"admin"}, id="other claim: text"),
    ],
)
def test_given_the_group_when_read_then_it_is_there(claim: str, content: str, expected: set[str]) -> None:
    assert groups(claim, content) == expected


@pytest.mark.parametrize(
    ("claim", "content"),
    [
        pytest.param(OTHER, "[not admin]", id="a group with a space in its name, or two groups"),
        pytest.param(OTHER, "[admin staff]", id="two groups, or one"),
        pytest.param(COGNITO, "not admin", id="text with a space is one name"),
        pytest.param(COGNITO, "admin staff", id="text that begins with the group"),
        pytest.param(COGNITO, "[not\tadmin]", id="other white space separates nothing"),
        pytest.param(COGNITO, "[not\u00a0admin]", id="no-break space separates nothing"),
        pytest.param(COGNITO, "[not,admin]", id="comma in a name"),
        pytest.param(COGNITO, "[[admin]]", id="brackets in a name"),
        pytest.param(COGNITO, "[staff admin]]", id="bracket at a name's end"),
        pytest.param(COGNITO, "[[admin staff]", id="bracket at a name's start"),
        pytest.param(COGNITO, "[staff admin", id="opened only"),
        pytest.param(COGNITO, "staff admin]", id="closed only"),
        pytest.param(COGNITO, "[Admin]", id="another case"),
        pytest.param(COGNITO, "[administrators admin2 no-admin]", id="longer names"),
        pytest.param(COGNITO, '["admin"]', id="JSON"),
        pytest.param(COGNITO, "[]", id="empty array"),
        pytest.param(COGNITO, "[", id="one bracket"),
        pytest.param(COGNITO, "", id="empty text"),
        pytest.param(COGNITO, None, id="no claim"),
        pytest.param(COGNITO, True, id="a boolean"),
        pytest.param(COGNITO, ["admin"], id="an array, which API Gateway never hands over"),
        pytest.param(COGNITO, {"admin": "admin"}, id="an object"),
    ],
)
def test_given_anything_else_when_read_then_the_group_is_not_there(claim: str, content: object) -> None:
    assert "admin" not in groups(claim, content)
