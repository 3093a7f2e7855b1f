"""Decisions that a loosened condition would change and the table of ``test_decide.py`` does not ask for."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import item_crypto
from item_crypto import Action, Keyrings, Role, Step
from tests.scene import HISTORY, NOW, POLICY
from tests.vectors.load import CURRENT_KEY, vector

MESSAGE = {"S": vector("current/list")["ciphertext"]}
EARLIER = {"S": vector("current/earlier-key")["ciphertext"]}
OLD = {"S": vector("lisa/list")["ciphertext"]}
KEY: dict[str, Any] = {"sessionId": {"S": "dlg-35143226"}, "userId": {"S": "user-24"}}
KEYS = Keyrings(None, CURRENT_KEY)  # type: ignore[arg-type]  # decisions ask no service


@pytest.mark.parametrize(
    ("kept", "action"),
    [(MESSAGE, Action.NOTHING), (EARLIER, Action.WRITE), (OLD, Action.WRITE)],
    ids=["current", "earlier key", "old form"],
)
def test_kept_conflict_when_nothing_else_is_to_be_done_then_it_is_renewed_only_where_it_needs_another_key(
    kept: Any, action: Action
) -> None:
    item = {**KEY, "encrypted_history": MESSAGE, "encrypted_history_conflict": kept}

    decision = item_crypto.decide(item, POLICY, Role.MIGRATOR, KEYS)

    assert decision.action is action
    assert decision.changed == (("history_conflict",) if action is Action.WRITE else ())


def test_kept_conflict_when_its_attribute_is_renewed_then_it_is_renewed_with_it() -> None:
    item = {**KEY, "encrypted_history": EARLIER, "encrypted_history_conflict": MESSAGE}

    decision = item_crypto.decide(item, POLICY, Role.MIGRATOR, KEYS)

    assert decision.steps == {"history": Step.REENCRYPT, "history_conflict": Step.REENCRYPT}


@pytest.mark.parametrize("role", [Role.ENCRYPTOR, Role.READER])
@pytest.mark.parametrize("enabled", [True, False])
def test_kept_conflict_when_it_is_not_the_migrator_that_asks_then_it_is_left(role: Role, enabled: bool) -> None:
    item = {**KEY, "encrypted_history_conflict": EARLIER}

    assert item_crypto.decide(item, replace(POLICY, enabled=enabled), role, KEYS).action is Action.NOTHING


@pytest.mark.parametrize(
    ("item", "changes", "is_followed"),
    [
        ({"history": HISTORY}, {}, True),
        ({"encrypted_history": EARLIER}, {}, True),
        ({"encrypted_history": MESSAGE, "encrypted_history_conflict": EARLIER}, {}, False),
        ({"history": HISTORY}, {"renew_before": NOW - timedelta(days=1)}, False),
        ({"encrypted_history": MESSAGE}, {"enabled": False, "decrypt_all": True}, False),
    ],
    ids=["plaintext", "earlier key", "kept conflict", "ageing", "decrypting"],
)
def test_decision_when_a_newer_write_is_in_its_way_then_it_tells_whether_that_one_leads_to_the_same(
    item: Any, changes: Any, is_followed: bool
) -> None:
    decision = item_crypto.decide({**KEY, **item}, replace(POLICY, **changes), Role.MIGRATOR, KEYS)

    assert decision.action is Action.WRITE
    assert decision.is_followed is is_followed
