"""What the caller's expressions become for the table as it is stored."""

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from item_crypto import ExpressionRefused
from item_crypto.dropin import conditions, projection, update
from item_crypto.dropin.placeholders import Placeholders
from item_crypto.dropin.protected import Protected
from tests.scene import POLICY

PROTECTED = Protected(POLICY)
NAMES = {"#h": "history", "#e": "encrypted_history", "#dots": "a.history"}


def placeholders() -> Placeholders:
    return Placeholders({"ExpressionAttributeNames": NAMES, "ExpressionAttributeValues": {":v": {"S": "x"}}})


def translated(text: str) -> str:
    return conditions.translated(text, placeholders(), PROTECTED)


@pytest.mark.parametrize(
    ("given_text", "sent"),
    [
        ("n = :v", "n = :v"),
        ("attribute_exists(sessionId)", "attribute_exists(sessionId)"),
        ("attribute_exists(history)", "(attribute_exists(history) OR attribute_exists(#item_crypto_0))"),
        ("(attribute_exists(#h))", "(attribute_exists(#h) OR attribute_exists(#item_crypto_0))"),
        ("NOT attribute_exists ( #h )", "NOT (attribute_exists ( #h ) OR attribute_exists(#item_crypto_0))"),
        (
            "attribute_not_exists(history) AND a.history = :v",
            "(attribute_not_exists(history) AND attribute_not_exists(#item_crypto_0)) AND a.history = :v",
        ),
        ("#dots.history[0] = :v", "#dots.history[0] = :v"),
        ("size(title) > :v and contains(title, :v)", "size(title) > :v and contains(title, :v)"),
    ],
)
def test_condition_when_dynamodb_can_answer_it_then_it_is_translated(given_text: str, sent: str) -> None:
    assert translated(given_text) == sent


@pytest.mark.parametrize(
    "text",
    [
        *("history = :v", "#h = :v", ":v <> history", "title = history", "n IN (:v, history)"),
        *("n BETWEEN :v AND history", "size(#h) > :v", "contains(history, :v)", "begins_with(#h, :v)"),
        *("attribute_type(history, :v)", "attribute_exists(history[0])", "attribute_not_exists(#h.a)"),
        *("history.a = :v", "encrypted_history = :v", "#e = :v", "is_encrypted = :v", "attribute_exists(encrypted_at)"),
        *("attribute_exists(encrypted_history_conflict)", "attribute_exists(history", "NOT(history = :v)"),
        *("attribute_exists(history, history)", "a . . history", "attribute_exists(title) history", "((history))"),
    ],
)
def test_condition_when_it_needs_what_is_encrypted_then_it_is_refused(text: str) -> None:
    with pytest.raises(ExpressionRefused):
        translated(text)


WORDS = ("history", "#h", "title", "(", ")", ",", "AND", "OR", "NOT", "attribute_exists", "=", ":v", ".", "[0]")
EXISTS = "attribute_exists ( history )"


@given(words=st.lists(st.one_of(st.sampled_from(WORDS), st.just(EXISTS)), max_size=12))
@example(words=["history", "(", ")"])
@example(words=[EXISTS, "AND", "title", ".", "history", "=", ":v"])
def test_condition_whatever_it_is_then_an_encrypted_attribute_is_left_in_existence_only(words: list[str]) -> None:
    try:
        sent = translated(" ".join(words))
    except ExpressionRefused:
        return
    # A name after a dot is a member's, one before a parenthesis a function's that DynamoDB does not have and refuses;
    # every other place of the attribute is asked for its existence.
    places = re.findall(r"(?<!\. )(?:history|#h)(?! \()", sent)
    asked = sum(sent.count(f"attribute_exists ( {name} )") for name in ("history", "#h"))
    assert len(places) == asked
    assert sent.count("attribute_exists(#item_crypto_0)") == asked


@pytest.mark.parametrize(
    ("text", "joined"),
    [("a = :v", "(a = :v)"), ("(a = :v)", "(a = :v)"), ("(a) OR (b)", "((a) OR (b))"), ("NOT (a)", "(NOT (a))")],
)
def test_condition_when_joined_then_it_has_one_pair_of_parentheses(text: str, joined: str) -> None:
    assert conditions.grouped(text) == joined


def test_projection_when_it_names_nothing_encrypted_then_it_is_sent_as_it_is() -> None:
    assert projection.widened("title, a.history[0]", placeholders(), PROTECTED) == ("title, a.history[0]", None)


def test_projection_when_it_is_widened_then_it_has_what_decryption_needs_and_each_attribute_once() -> None:
    given_names = placeholders()

    sent, narrowing = projection.widened("#h[1], userId, doc.x", given_names, PROTECTED)

    named = [given_names.names.get(part, part) for part in sent.split(", ")]
    assert named == ["userId", "doc.x", "history", "encrypted_history", "is_encrypted", "sessionId"]
    assert narrowing is not None
    value: Any = {"L": [{"S": "a"}, {"S": "b"}]}
    item: Any = {"history": value, "userId": {"S": "u"}, "sessionId": {"S": "s"}, "doc": {"M": {"x": {"S": "x"}}}}
    assert narrowing.apply(item) == {
        "history": {"L": [{"S": "b"}]},
        "userId": {"S": "u"},
        "doc": {"M": {"x": {"S": "x"}}},
    }


@pytest.mark.parametrize("text", ["", "title,", "history history", "encrypted_at", "history, #h.a", "title; n", ":v"])
def test_projection_when_it_is_none_or_overlaps_then_it_is_refused(text: str) -> None:
    with pytest.raises(ExpressionRefused):
        projection.widened(text, placeholders(), PROTECTED)


def test_update_when_taken_apart_then_the_rest_stays_as_it_is_written() -> None:
    found = update.taken_apart(
        "set #h = :v, doc . x = list_append( doc.x , :v ) remove configuration, title ADD n :v delete s :v",
        placeholders(),
        PROTECTED,
    )

    assert found.sets == {"history": update.Setting(":v", if_absent=False)}
    assert found.removes == ("configuration",)
    assert update.rendered(found.rest) == "SET doc . x = list_append( doc.x , :v ) REMOVE title ADD n :v DELETE s :v"


@pytest.mark.parametrize(
    "text",
    [
        *("SET history[0] = :v", "SET #h.a = :v", "ADD history :v", "DELETE #h :v", "REMOVE history[1]"),
        *("SET history = title", "SET history = history + :v", "SET history = list_append(history, :v)"),
        *("SET history = if_not_exists(title, :v)", "SET history = if_not_exists(history, title)"),
        *("SET history = if_not_exists(history[0], :v)", "SET title = history", "SET title = if_not_exists(#h, :v)"),
        *("SET title = list_append(:v, history)", "SET is_encrypted = :v", "REMOVE encrypted_history", "SET #e = :v"),
        *("SET history = :v, #h = :v", "SET history = :v REMOVE history", "SET title = :v SET n = :v"),
        *("history = :v", "SET", "SET history", "SET history = :missing", "SET history = :v :v", "SET title = :v,"),
    ],
)
def test_update_when_it_needs_what_is_encrypted_or_cannot_be_read_then_it_is_refused(text: str) -> None:
    with pytest.raises(ExpressionRefused):
        update.taken_apart(text, placeholders(), PROTECTED)


def test_placeholders_when_only_the_callers_expression_used_them_then_they_go() -> None:
    given_names = placeholders()
    ours = given_names.name("encrypted_history")

    sent = given_names.arguments(["SET #h = :v"], [f"SET {ours} = :c"])

    # Those that the caller did not use either are DynamoDB's to refuse.
    assert sent["ExpressionAttributeNames"] == {
        "#e": "encrypted_history",
        "#dots": "a.history",
        ours: "encrypted_history",
    }
    assert "ExpressionAttributeValues" not in sent


def test_placeholders_when_the_caller_has_our_names_then_others_are_taken() -> None:
    given_names = Placeholders({"ExpressionAttributeNames": {"#item_crypto_0": "title"}})

    assert given_names.name("history") == "#item_crypto_1"
    assert given_names.name("history") == "#item_crypto_1"
    assert given_names.names["#item_crypto_0"] == "title"


@pytest.mark.parametrize("text", ["history = :v", "sessionId = :v AND begins_with(#h, :v)", "encrypted_history = :v"])
def test_key_condition_when_it_names_what_is_encrypted_then_it_is_refused(text: str) -> None:
    with pytest.raises(ExpressionRefused):
        conditions.check_key_condition(text, placeholders(), PROTECTED)
    conditions.check_key_condition("sessionId = :v AND begins_with(userId, :v)", placeholders(), PROTECTED)
