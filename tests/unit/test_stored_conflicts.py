"""A value that is kept as a conflict is never written over by another one."""

from typing import Any

import pytest

from item_crypto import ConflictUnresolved
from item_crypto.core.change import change
from item_crypto.core.stored_form import Target
from tests.scene import HISTORY, NOW

KEY: dict[str, Any] = {"sessionId": {"S": "s"}, "userId": {"S": "u"}}
ITEM = {**KEY, "history": HISTORY, "encrypted_history_conflict": {"S": "kept"}}
CIPHERTEXTS: dict[str, Any] = {"history": {"S": "new"}, "history_conflict": {"S": "other"}}


def changed(conflict: Target) -> Any:
    targets = {"history": Target(HISTORY, encrypted=True), "history_conflict": conflict}
    return change(KEY, ITEM, ("history",), targets, CIPHERTEXTS, NOW)


def test_conflict_when_another_one_still_stands_then_nothing_is_written() -> None:
    with pytest.raises(ConflictUnresolved):
        changed(Target(HISTORY, encrypted=True))


def test_conflict_when_it_is_the_one_that_stands_under_a_new_key_then_it_takes_its_place_and_is_guarded() -> None:
    made = changed(Target(HISTORY, encrypted=True, renewed=True))

    assert made.sets["encrypted_history_conflict"] == {"S": "other"}
    assert made.guards["encrypted_history_conflict"] == {"S": "kept"}
