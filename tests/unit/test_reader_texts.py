"""The two texts of a session, shown and ordered, and the tag that is made of the second."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_crypto.core.stored_form import View
from reader.entity_tags import entity_tag
from reader.json_values import to_json_object, to_json_texts
from tests import strategies

SESSION: dict[str, Any] = {
    "userId": {"S": "alice"},
    "sessionId": {"S": "dlg-1"},
    "tags": {"SS": ["é", "b", "a"]},
    "raw": {"BS": [b"b", b"\x00\xff", b""]},
    "scores": {"NS": ["10", "9", "1.50", "-0"]},
    "history": {
        "L": [
            {
                "M": {
                    "type": {"S": 'human "q" \u2028 \U0001f600'},
                    "at": {"N": "1E2"},
                    "b": {"B": b"\x00\xff"},
                    "": {"NULL": True},
                }
            }
        ]
    },
    "configuration": {
        "M": {
            "z": {"L": []},
            "a": {"M": {"\U00010000": {"BOOL": False}, "\uff00": {"BOOL": True}}},
            "t": {"N": "-0.70"},
        }
    },
}
SHOWN = (
    '{"userId":"alice","sessionId":"dlg-1","tags":["é","b","a"],"raw":["Yg==","AP8=",""],"scores":[10,9,1.5,0],'
    '"history":[{"type":"human \\"q\\" \u2028 \U0001f600","at":100,"b":"AP8=","":null}],'
    '"configuration":{"z":[],"a":{"\U00010000":false,"\uff00":true},"t":-0.7}}'
)
ORDERED = (
    '{"configuration":{"a":{"\uff00":true,"\U00010000":false},"t":-0.7,"z":[]},'
    '"history":[{"":null,"at":100,"b":"AP8=","type":"human \\"q\\" \u2028 \U0001f600"}],"raw":["","AP8=","Yg=="],'
    '"scores":[0,1.5,10,9],"sessionId":"dlg-1","tags":["a","b","é"],"userId":"alice"}'
)
# Frozen: a tag that a client keeps has to be that of the same session for ever.
TAGS = {
    View.CLEAR: '"6q7ZMOme7exsP0OJgHdL32karbLxEaMg3pdS-GirBuw"',
    View.ENCRYPTED: '"DAhwAQ2zlUgwqS-0PPsCnXwQiN7mOEMG49Sua0pwc-g"',
}


def test_given_a_session_when_written_then_one_text_keeps_the_order_and_the_other_has_one() -> None:
    texts = to_json_texts(SESSION)

    assert (texts.shown, texts.ordered) == (SHOWN, ORDERED)


@pytest.mark.parametrize("view", View)
def test_given_a_session_when_tagged_then_the_tag_is_the_one_that_it_always_had(view: View) -> None:
    assert entity_tag(to_json_texts(SESSION), view) == TAGS[view]


def shuffled(value: Any, chance: random.Random) -> Any:
    ((kind, content),) = value.items()
    if kind == "M":
        return {kind: shuffled_members(content, chance)}
    if kind == "L":
        return {kind: [shuffled(member, chance) for member in content]}
    return {kind: chance.sample(content, len(content)) if kind in ("SS", "NS", "BS") else content}


def shuffled_members(members: Any, chance: random.Random) -> Any:
    names = chance.sample(list(members), len(members))
    return {name: shuffled(members[name], chance) for name in names}


@given(st.dictionaries(st.text(max_size=6), strategies.values(), max_size=5), st.randoms(use_true_random=False))
def test_given_what_has_no_order_when_it_comes_in_another_then_the_ordered_text_is_the_same(
    item: Any, chance: random.Random
) -> None:
    other = shuffled_members(item, chance)

    assert to_json_texts(other).ordered == to_json_texts(item).ordered
    assert to_json_texts(other).shown == to_json_object(other)
