"""What `verify` counts, item by item, and how its counts are sorted out."""

from dataclasses import replace
from typing import Any

import pytest

from item_crypto import Keyrings
from migrator.census import Standing, has_conflict, keys_needed, places, standing, strays
from migrator.counts import Census, census
from tests.scene import HISTORY, POLICY
from tests.vectors.load import CURRENT_KEY, vector

MESSAGE = {"S": vector("current/list")["ciphertext"]}
EARLIER = {"S": vector("current/earlier-key")["ciphertext"]}
OLD = {"S": vector("lisa/list")["ciphertext"]}
GARBAGE = {"S": "Z2FyYmFnZQ=="}
KEY: dict[str, Any] = {"sessionId": {"S": "dlg-35143226"}, "userId": {"S": "user-24"}}
KEYS = Keyrings(None, CURRENT_KEY)  # type: ignore[arg-type]  # headers tell
PLAIN = {"history": HISTORY}


@pytest.mark.parametrize(
    ("item", "state"),
    [
        ({}, Standing.NONE),
        (PLAIN, Standing.PLAINTEXT),
        ({"encrypted_history": MESSAGE}, Standing.ENCRYPTED),
        ({"encrypted_history_conflict": MESSAGE}, Standing.ENCRYPTED),
        (PLAIN | {"encrypted_history": MESSAGE}, Standing.MIXED),
        ({"configuration": HISTORY, "encrypted_history": MESSAGE}, Standing.MIXED),
        ({"encrypted_history": OLD}, Standing.OLD_FORM),
        (PLAIN | {"encrypted_history": OLD}, Standing.OLD_FORM),
        ({"encrypted_history": OLD, "encrypted_configuration": MESSAGE}, Standing.OLD_FORM),
        ({"encrypted_history": GARBAGE}, Standing.UNDECRYPTABLE),
        (PLAIN | {"encrypted_history": GARBAGE}, Standing.UNDECRYPTABLE),
        ({"encrypted_history": GARBAGE, "encrypted_configuration": MESSAGE}, Standing.UNDECRYPTABLE),
        ({"encrypted_history": EARLIER}, Standing.UNDECRYPTABLE),
        ({"encrypted_history": EARLIER, "encrypted_configuration": MESSAGE}, Standing.UNDECRYPTABLE),
    ],
)
def test_item_when_its_headers_are_read_then_it_stands_so(item: Any, state: Standing) -> None:
    assert standing({**KEY, **item}, POLICY, KEYS)[0] is state


def test_item_when_its_key_is_listed_as_earlier_then_it_counts_as_encrypted() -> None:
    (key_arn,) = {envelope.key for envelope in standing({"encrypted_history": EARLIER}, POLICY, KEYS)[1].values()}
    keys = Keyrings(None, CURRENT_KEY, [str(key_arn)])  # type: ignore[arg-type]

    state, envelopes = standing({"encrypted_history": EARLIER}, POLICY, keys)

    assert state is Standing.ENCRYPTED
    assert keys_needed(envelopes, keys) == {key_arn: 1}
    assert keys_needed(envelopes, KEYS) == {"not listed": 1}


def test_earlier_attribute_when_it_is_in_plaintext_then_the_item_is_as_it_should_be() -> None:
    policy = replace(POLICY, earlier=frozenset({"history"}))

    assert standing(PLAIN, policy, KEYS)[0] is Standing.NONE
    assert standing(PLAIN | {"encrypted_configuration": MESSAGE}, policy, KEYS)[0] is Standing.ENCRYPTED


def test_keys_when_an_item_needs_one_often_then_it_is_counted_once() -> None:
    item = {
        "encrypted_history": MESSAGE,
        "encrypted_configuration": MESSAGE,
        "encrypted_history_conflict": EARLIER,
        "encrypted_configuration_conflict": OLD,
    }

    assert keys_needed(standing(item, POLICY, KEYS)[1], KEYS) == {
        CURRENT_KEY: 1,
        "not listed": 1,
        "unknown (old form)": 1,
    }


@pytest.mark.parametrize(
    ("item", "history"),
    [
        ({}, "absent"),
        (PLAIN, "plaintext"),
        ({"encrypted_history": MESSAGE}, "encrypted"),
        (PLAIN | {"encrypted_history": MESSAGE}, "plaintext"),
    ],
)
def test_attributes_when_counted_then_each_is_in_one_place(item: Any, history: str) -> None:
    assert places(item, POLICY) == {f"attribute.{history}.history": 1, "attribute.absent.configuration": 1}


@pytest.mark.parametrize(
    ("item", "is_kept"),
    [
        ({"encrypted_history": MESSAGE}, False),
        ({"encrypted_history_conflict": MESSAGE}, True),
        ({"encrypted_configuration_conflict": OLD}, True),
    ],
)
def test_conflict_when_one_is_kept_then_it_is_told(item: Any, is_kept: bool) -> None:
    assert has_conflict(standing(item, POLICY, KEYS)[1], POLICY) is is_kept


# Strays


def test_ciphertext_when_no_listed_attribute_is_behind_it_then_it_is_a_stray() -> None:
    item = {
        **KEY,
        "encrypted_history": MESSAGE,
        "encrypted_history_conflict": MESSAGE,
        "encrypted_histroy": MESSAGE,
        "encrypted_notes_conflict": OLD,
        "encrypted_at": {"S": "2026-01-02T08:30:00Z"},
        "encrypted_by": {"S": "the notary"},
        "notes": MESSAGE,
    }

    assert strays(item, POLICY, {}) == {"stray.encrypted_histroy": 1, "stray.encrypted_notes_conflict": 1}


def names(count: int) -> dict[str, int]:
    return {f"stray.encrypted_x{number}": 1 for number in range(count)}


@pytest.mark.parametrize(
    ("counted", "name", "counted_as"),
    [
        (19, "y", "encrypted_y"),
        (20, "y", "other names"),
        (20, "x3", "encrypted_x3"),
        (0, "y" * 245, "encrypted_" + "y" * 245),
        (0, "y" * 246, "other names"),
    ],
)
def test_stray_when_there_are_many_names_or_long_ones_then_the_rest_is_counted_as_one(
    counted: int, name: str, counted_as: str
) -> None:
    before = {**names(counted), "encrypted": 9, "attribute.plaintext.history": 3}

    assert strays({f"encrypted_{name}": MESSAGE}, POLICY, before) == {f"stray.{counted_as}": 1}


def test_strays_when_one_item_has_many_then_the_first_twenty_keep_their_names() -> None:
    found = strays({f"encrypted_y{number:02}": MESSAGE for number in range(25)}, POLICY, {})

    assert len(found) == 21
    assert found["stray.other names"] == 1
    assert "stray.encrypted_y19" in found
    assert "stray.encrypted_y20" not in found


# Sorted out


def test_counts_when_sorted_out_then_items_attributes_strays_and_values_are_apart() -> None:
    counts = {
        "encrypted": 5,
        "conflicts": 1,
        "attribute.plaintext.history": 2,
        "attribute.encrypted.history": 3,
        "attribute.absent.a.b": 4,
        "stray.encrypted_histroy": 6,
        "values": 8,
        "values.decrypted": 7,
        "encoding.base64": 6,
        "encoding.binary": 2,
    }

    assert census(counts) == Census(
        items={"encrypted": 5, "conflicts": 1},
        attributes={
            "history": {"plaintext": 2, "encrypted": 3, "absent": 0},
            "a.b": {"plaintext": 0, "encrypted": 0, "absent": 4},
        },
        strays={"encrypted_histroy": 6},
        values=8,
        decrypted=7,
        encodings={"base64": 6, "binary": 2},
    )


def test_counts_when_there_are_none_then_all_is_nought() -> None:
    assert census({}) == Census({}, {}, {}, {}, 0, 0)
