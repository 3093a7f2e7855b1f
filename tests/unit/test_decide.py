"""The table of the design, cell by cell, and what holds for every item whatever it looks like."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import item_crypto
from item_crypto import (
    Action,
    Decision,
    ItemTooLarge,
    Keyrings,
    MarkerUnusable,
    Policy,
    Role,
    Status,
    Step,
    UnknownForm,
)
from item_crypto.core.change import Change, change
from item_crypto.core.encoding import Encoding
from item_crypto.core.settle import settle
from item_crypto.core.stored_form import Target
from tests.scene import CONFIGURATION, HISTORY, NOW, POLICY, TABLE, Scene
from tests.strategies import values
from tests.vectors.load import CURRENT_KEY, vector

MESSAGE = {"S": vector("current/list")["ciphertext"]}
BINARY = {"B": base64.b64decode(MESSAGE["S"])}
EARLIER = {"S": vector("current/earlier-key")["ciphertext"]}
OLD = {"S": vector("lisa/list")["ciphertext"]}
GARBAGE = {"S": "Z2FyYmFnZQ=="}
KEY: dict[str, Any] = {"sessionId": {"S": "dlg-35143226"}, "userId": {"S": "user-24"}}
ROLES = (Role.ENCRYPTOR, Role.READER, Role.MIGRATOR)
YESTERDAY = {"S": (NOW - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")}

KEYS = Keyrings(None, CURRENT_KEY)  # type: ignore[arg-type]  # decisions ask no service


def decide(item: Any, policy: Policy, role: Role) -> Decision:
    return item_crypto.decide(item, policy, role, KEYS)


# The table


PLAIN = {"history": HISTORY}
STATES: dict[str, dict[str, Any]] = {
    "absent": {},
    "plaintext": PLAIN,
    "current": {"encrypted_history": MESSAGE},
    "current, binary": {"encrypted_history": BINARY},
    "earlier key": {"encrypted_history": EARLIER},
    "old form": {"encrypted_history": OLD},
    "aged": {"encrypted_history": MESSAGE, "encrypted_at": YESTERDAY},
    "both, current": PLAIN | {"encrypted_history": MESSAGE},
    "both, current, binary": PLAIN | {"encrypted_history": BINARY},
    "both, earlier key": PLAIN | {"encrypted_history": EARLIER},
    "both, old form": PLAIN | {"encrypted_history": OLD, "is_encrypted": {"BOOL": True}},
    "unknown form": {"encrypted_history": GARBAGE},
    "unknown form, an old one as binary": {"encrypted_history": {"B": base64.b64decode(OLD["S"])}},
    "both, unknown form": PLAIN | {"encrypted_history": GARBAGE},
}
K, E, R, D, X, M, V, F, C = (
    Step.KEEP,
    Step.ENCRYPT,
    Step.REENCRYPT,
    Step.DECRYPT,
    Step.DROP,
    Step.MERGE,
    Step.RESOLVE,
    Step.DEFER,
    Step.REENCODE,
)
FAILS = "fails"
# For each state: on for (encryptor, reader, migrator), then off for the three.
TABLE_OF_DESIGN: dict[tuple[str, str], tuple[Any, ...]] = {
    ("absent", ""): (None, None, None, None, None, None),
    ("plaintext", ""): (E, E, E, K, K, K),
    ("current", ""): (K, K, K, K, D, K),
    ("current", "decrypt sweep"): (K, K, K, K, D, D),
    ("current, binary", ""): (K, C, C, K, D, K),
    ("current, binary", "decrypt sweep"): (K, C, C, K, D, D),
    ("current, binary", "re-encrypt sweep"): (F, R, R, K, D, K),
    ("current, binary", "binary"): (K, K, K, K, D, K),
    ("current", "binary"): (K, C, C, K, D, K),
    ("earlier key", "binary"): (F, R, R, K, D, K),
    ("old form", "binary"): (F, R, R, K, D, K),
    ("both, current", "binary"): (E, E, E, X, X, X),
    ("both, current, binary", ""): (E, E, E, X, X, X),
    ("both, current, binary", "appended"): (F, M, M, F, M, M),
    ("unknown form, an old one as binary", ""): (FAILS,) * 6,
    ("unknown form, an old one as binary", "binary"): (FAILS,) * 6,
    ("earlier key", ""): (F, R, R, K, D, K),
    ("earlier key", "decrypt sweep"): (F, R, R, K, D, D),
    ("old form", ""): (F, R, R, K, D, K),
    ("old form", "decrypt sweep"): (F, R, R, K, D, D),
    ("aged", ""): (K, K, K, K, D, K),
    ("aged", "re-encrypt sweep"): (F, R, R, K, D, K),
    ("current", "re-encrypt sweep"): (F, R, R, K, D, K),  # without encrypted_at its age is not known
    ("both, current", ""): (E, E, E, X, X, X),
    ("both, earlier key", ""): (E, E, E, X, X, X),
    ("both, current", "appended"): (F, M, M, F, M, M),
    ("both, earlier key", "appended"): (F, M, M, F, M, M),
    ("plaintext", "appended"): (E, E, E, K, K, K),
    ("current", "appended"): (K, K, K, K, D, K),
    ("both, old form", ""): (F, V, V, F, V, V),
    ("both, old form", "appended"): (F, V, V, F, V, V),
    ("unknown form", ""): (FAILS,) * 6,
    ("both, unknown form", ""): (FAILS,) * 6,
    ("both, unknown form", "appended"): (FAILS,) * 6,
}
CHANGES: dict[str, dict[str, Any]] = {
    "": {},
    "appended": {"appended": frozenset({"history"})},
    "binary": {"encoding": Encoding.BINARY},
    "decrypt sweep": {"decrypt_all": True},
    "re-encrypt sweep": {"renew_before": NOW - timedelta(hours=1)},
}
CELLS = [
    pytest.param(state, changes, role, enabled, expected[ROLES.index(role) + (0 if enabled else 3)])
    for (state, changes), expected in TABLE_OF_DESIGN.items()
    for enabled in (True, False)
    for role in ROLES
]


def cell_id(value: Any) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case Role() | Step():
            return str(value.value)
        case None:
            return "no step"
        case _:
            return str(value) or "-"


@pytest.mark.parametrize(("state", "changes", "role", "enabled", "expected"), CELLS, ids=cell_id)
def test_item_when_decided_then_it_is_as_the_table_says(
    state: str, changes: str, role: Role, enabled: bool, expected: Any
) -> None:
    policy = replace(POLICY, enabled=enabled, **CHANGES[changes])

    decision = decide(KEY | STATES[state], policy, role)

    if expected == FAILS:
        assert decision.action is Action.FAIL
        assert isinstance(decision.error, UnknownForm)
        assert (decision.changed, decision.deferred, decision.reason) == ((), (), "unknown-form")
        return
    assert decision.error is None
    assert decision.steps.get("history") is expected
    wanted = {None: Action.NOTHING, Step.KEEP: Action.NOTHING, Step.DEFER: Action.DEFER}
    assert decision.action is wanted.get(expected, Action.WRITE)


@pytest.mark.parametrize(
    ("state", "changes", "role", "enabled", "reason"),
    [
        ("absent", "", Role.ENCRYPTOR, True, "as-it-should-be"),
        ("plaintext", "", Role.ENCRYPTOR, True, "plaintext"),
        ("both, current", "", Role.ENCRYPTOR, True, "newer-plaintext"),
        ("both, current", "", Role.ENCRYPTOR, False, "newer-plaintext"),
        ("both, current", "appended", Role.ENCRYPTOR, True, "appended"),
        ("both, old form", "", Role.ENCRYPTOR, True, "old-form-with-plaintext"),
        ("both, old form", "", Role.READER, True, "old-form-with-plaintext"),
        ("old form", "", Role.ENCRYPTOR, True, "old-form"),
        ("earlier key", "", Role.ENCRYPTOR, True, "earlier-key"),
        ("aged", "re-encrypt sweep", Role.MIGRATOR, True, "aged"),
        ("current", "binary", Role.READER, True, "other-encoding"),
        ("current", "", Role.READER, False, "encryption-off"),
    ],
    ids=cell_id,
)
def test_item_when_decided_then_the_reason_is_a_fixed_word(
    state: str, changes: str, role: Role, enabled: bool, reason: str
) -> None:
    assert decide(KEY | STATES[state], replace(POLICY, enabled=enabled, **CHANGES[changes]), role).reason == reason


@pytest.mark.parametrize("other", [{"configuration": CONFIGURATION}, {"encrypted_configuration": MESSAGE}])
def test_old_form_with_plaintext_when_the_encryptor_decides_then_the_whole_item_is_deferred(other: Any) -> None:
    decision = decide(KEY | STATES["both, old form"] | other, POLICY, Role.ENCRYPTOR)

    assert decision.action is Action.DEFER
    assert decision.deferred == ("history", "configuration")
    assert decision.changed == ()


def test_old_form_beside_a_plaintext_attribute_when_the_encryptor_decides_then_only_the_old_form_waits() -> None:
    decision = decide(KEY | STATES["old form"] | {"configuration": CONFIGURATION}, POLICY, Role.ENCRYPTOR)

    assert (decision.action, decision.changed, decision.deferred) == (Action.WRITE, ("configuration",), ("history",))
    assert decision.reason == "old-form"


def test_unknown_form_in_one_attribute_when_decided_then_the_other_is_not_touched_either() -> None:
    decision = decide(KEY | STATES["unknown form"] | {"configuration": CONFIGURATION}, POLICY, Role.ENCRYPTOR)

    assert decision.action is Action.FAIL


def test_marker_when_it_claims_encryption_then_a_plaintext_attribute_is_encrypted_all_the_same() -> None:
    stale = {"is_encrypted": {"BOOL": True}, "encryption_version": {"S": "1.0"}}

    assert decide(KEY | PLAIN | stale, POLICY, Role.ENCRYPTOR).steps == {"history": Step.ENCRYPT}


@pytest.mark.parametrize(
    "at",
    [
        {"S": "yesterday"},
        {"S": ""},
        {"N": "1767340800"},
        {"S": "2025-01-01"},
        {"S": "0001-01-01T00:00:00+14:00"},
        {"S": "2025-12-31T23:59:59"},
        {"S": "2026-01-02T08:29:59+00:00"},
    ],
)
def test_age_when_it_is_unreadable_or_older_then_the_item_is_aged(at: Any) -> None:
    policy = replace(POLICY, renew_before=NOW)

    assert decide(KEY | STATES["current"] | {"encrypted_at": at}, policy, Role.MIGRATOR).reason == "aged"


@pytest.mark.parametrize("at", ["2026-01-02T08:30:00Z", "2026-01-02T10:30:00+02:00", "9999-12-31T23:59:59-14:00"])
def test_age_when_it_is_not_older_then_nothing_is_to_do(at: str) -> None:
    policy = replace(POLICY, renew_before=NOW)

    decision = decide(KEY | STATES["current"] | {"encrypted_at": {"S": at}}, policy, Role.MIGRATOR)

    assert decision.action is Action.NOTHING


def test_decision_when_shown_then_no_value_appears() -> None:
    decision = decide(KEY | {"history": {"S": "secret-6021"}}, POLICY, Role.ENCRYPTOR)

    assert "6021" not in repr(decision)
    assert "6021" not in repr(settle(decision, {}))


# Totality


def ciphertexts() -> st.SearchStrategy[Any]:
    return st.one_of(st.sampled_from([MESSAGE, BINARY, EARLIER, OLD, GARBAGE]), values())


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "history": values(),
            "configuration": values(),
            "encrypted_history": ciphertexts(),
            "encrypted_configuration": ciphertexts(),
            "encrypted_history_conflict": ciphertexts(),
            "is_encrypted": st.one_of(st.booleans().map(lambda on: {"BOOL": on}), values()),
            "encrypted_at": st.one_of(st.text(max_size=30).map(lambda at: {"S": at}), values()),
            "encryption_version": values(),
        },
    ),
    st.sampled_from(ROLES),
    st.booleans(),
    st.sampled_from(list(CHANGES.values())),
)
def test_any_item_when_decided_then_there_is_a_decision_and_never_an_exception(
    item: dict[str, Any], role: Role, enabled: bool, changes: Any
) -> None:
    decision = decide(KEY | item, replace(POLICY, enabled=enabled, **changes), role)

    assert (decision.action is Action.FAIL) == (decision.error is not None)
    assert (decision.action is Action.WRITE) == bool(decision.changed)
    assert set(decision.to_decrypt) <= set(decision.envelopes)
    if role is Role.ENCRYPTOR:
        assert not decision.to_decrypt


# Two values: which is newer


def resolve(plaintext: Any, decrypted: Any, marker: Any, policy: Policy = POLICY) -> dict[str, Target]:
    item = KEY | {"history": plaintext, "encrypted_history": OLD} | ({} if marker is None else {"is_encrypted": marker})
    return settle(decide(item, policy, Role.READER), {"history": decrypted})


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("marker", [{"BOOL": True}, {"BOOL": False}, None, {"S": "yes"}])
@pytest.mark.parametrize(
    ("plaintext", "decrypted"),
    [
        pytest.param(HISTORY, HISTORY, id="equal"),
        pytest.param({"N": "0.7"}, {"S": "0.7"}, id="a number that LISA wrote as text"),
        pytest.param({"N": "1"}, {"N": "1.0"}, id="a number that LISA wrote as a float"),
        pytest.param({"N": "0.0000001"}, {"N": "1E-7"}, id="a number with an exponent"),
        pytest.param(
            {"M": {"a": {"L": [{"N": "100"}, {"NULL": True}]}}},
            {"M": {"a": {"L": [{"N": "1E+2"}, {"NULL": True}]}}},
            id="a number deep inside",
        ),
    ],
)
def test_equal_values_when_resolved_then_the_plaintext_is_kept_whatever_the_marker(
    plaintext: Any, decrypted: Any, marker: Any, enabled: bool
) -> None:
    assert resolve(plaintext, decrypted, marker, replace(POLICY, enabled=enabled)) == {
        "history": Target(plaintext, encrypted=enabled)
    }


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize(("marker", "winner"), [(True, "ciphertext"), (False, "plaintext")])
def test_different_values_when_resolved_then_the_marker_decides_and_the_loser_is_kept_encrypted(
    marker: bool, winner: str, enabled: bool
) -> None:
    values: dict[str, Any] = {"plaintext": {"S": "p"}, "ciphertext": {"S": "c"}}

    targets = resolve(values["plaintext"], values["ciphertext"], {"BOOL": marker}, replace(POLICY, enabled=enabled))

    loser = next(value for name, value in values.items() if name != winner)
    assert targets == {
        "history": Target(values[winner], encrypted=enabled),
        "history_conflict": Target(loser, encrypted=True),
    }


@pytest.mark.parametrize("marker", [None, {"S": "true"}, {"NULL": True}, {"N": "1"}])
def test_different_values_when_the_marker_does_not_tell_then_permanent_failure(marker: Any) -> None:
    with pytest.raises(MarkerUnusable):
        resolve({"S": "p"}, {"S": "c"}, marker)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"N": "1"}, {"N": "1.1"}),
        ({"N": "1"}, {"S": "one"}),
        ({"S": "1"}, {"N": "1"}),
        ({"L": [{"N": "1"}]}, {"L": [{"N": "1"}, {"N": "1"}]}),
        ({"M": {"a": {"S": ""}}}, {"M": {"b": {"S": ""}}}),
        ({"BOOL": True}, {"BOOL": False}),
    ],
)
def test_values_when_they_differ_then_they_are_not_taken_for_equal(one: Any, other: Any) -> None:
    assert set(resolve(one, other, {"BOOL": True})) == {"history", "history_conflict"}


# The write, on DynamoDB


def encryption_of(item: Any, value: Any = HISTORY, text: str = "x", now: datetime = NOW) -> Change:
    """Return the change that encrypts an item's history."""
    key = {name: item[name] for name in KEY}
    return change(key, item, POLICY.attributes, {"history": Target(value, True)}, {"history": {"S": text}}, now)


GUARDED = ["history", "configuration", "encrypted_history", "encrypted_configuration", "is_encrypted"]


@pytest.mark.parametrize("guarded", GUARDED)
@pytest.mark.parametrize("present", [True, False], ids=["was there", "was absent"])
@pytest.mark.parametrize("how", ["changed", "removed"])
def test_write_when_a_guarded_attribute_differs_from_what_was_read_then_the_condition_fails(
    scene: Scene, guarded: str, present: bool, how: str
) -> None:
    if not present and how == "removed":
        return
    key = scene.new_key()
    item = key | {"history": HISTORY} | ({guarded: {"S": "as read"}} if present else {})
    if not present:
        item.pop(guarded, None)
        item |= {} if guarded != "history" else {"configuration": CONFIGURATION}
    scene.store(item)
    update = encryption_of(item)
    if how == "changed":
        scene.set(key, **{guarded: {"S": "written since"}})
    else:
        scene.plain.update_item(
            TableName=TABLE, Key=key, UpdateExpression="REMOVE #n", ExpressionAttributeNames={"#n": guarded}
        )
    before = scene.stored(key)

    assert not scene.table.apply(update)
    assert scene.stored(key) == before


def test_write_when_only_other_attributes_changed_then_it_succeeds_and_leaves_them(scene: Scene) -> None:
    key = scene.new_key()
    item = key | {"history": HISTORY, "name": {"S": "old"}}
    scene.store(item)
    update = encryption_of(item)
    scene.set(key, name={"S": "new"})

    assert scene.table.apply(update)
    assert scene.stored(key) == key | {
        "name": {"S": "new"},
        "encrypted_history": {"S": "x"},
        "encryption_version": {"S": "1.0"},
        "is_encrypted": {"BOOL": True},
        "encrypted_at": {"S": "2026-01-02T08:30:00Z"},
    }


def test_item_when_deleted_since_then_the_write_does_not_create_it_again(scene: Scene) -> None:
    key = scene.new_key()
    item = key | {"history": HISTORY}

    update = encryption_of(item)

    assert not scene.table.apply(update)
    assert scene.stored(key) is None


def test_item_with_none_of_the_attributes_when_a_write_is_asked_for_then_there_is_none() -> None:
    with pytest.raises(ValueError, match="never written"):
        change(KEY, KEY | {"name": {"S": "x"}}, POLICY.attributes, {}, {}, NOW)


def test_any_value_when_it_stands_in_the_condition_then_the_write_succeeds(scene: Scene) -> None:
    values: tuple[Any, ...] = (
        HISTORY,
        {"NS": ["2", "1"]},
        {"B": b""},
        {"M": {}},
        {"L": []},
        {"S": ""},
        {"N": "-1E-130"},
    )
    for value in values:
        key = scene.new_key()
        scene.store(key | {"history": value})
        item = scene.stored(key)
        assert item is not None

        update = encryption_of(item, value)

        assert scene.table.apply(update)


def test_item_when_its_ciphertext_would_not_fit_then_it_is_too_large() -> None:
    with pytest.raises(ItemTooLarge) as refusal:
        encryption_of(KEY | PLAIN, text="x" * 410_000)

    assert refusal.value.size is not None
    assert refusal.value.size > 400 * 1024


# Markers


def stored_after(scene: Scene, item: dict[str, Any], role: Role = Role.READER, **changes: Any) -> dict[str, Any]:
    key = {name: item[name] for name in ("sessionId", "userId")}
    scene.store(item)
    scene.reconcile(key, role, **changes)
    stored = scene.stored(key)
    assert stored is not None
    return stored


def test_item_when_all_is_encrypted_then_its_markers_say_so(scene: Scene) -> None:
    stored = stored_after(scene, scene.new_key() | {"history": HISTORY, "configuration": CONFIGURATION})

    assert stored["is_encrypted"] == {"BOOL": True}
    assert stored["encryption_version"] == {"S": "1.0"}
    assert stored["encrypted_at"] == {"S": "2026-01-02T08:30:00Z"}


def test_item_when_an_attribute_stays_in_plaintext_then_is_encrypted_is_false(scene: Scene) -> None:
    key = scene.new_key()
    appended = scene.encrypted(key, history={"L": []}) | {"history": {"L": [{"S": "more"}]}}

    stored = stored_after(
        scene,
        key | appended | {"configuration": CONFIGURATION},
        Role.ENCRYPTOR,
        appended=frozenset({"history"}),
    )

    assert "encrypted_configuration" in stored
    assert "history" in stored
    assert stored["is_encrypted"] == {"BOOL": False}


def test_second_attribute_when_encrypted_later_then_encrypted_at_keeps_the_oldest_keys_time(scene: Scene) -> None:
    key = scene.new_key()
    earlier = scene.encrypted(key, history=HISTORY) | {"encrypted_at": YESTERDAY, "is_encrypted": {"BOOL": True}}

    stored = stored_after(scene, key | earlier | {"configuration": CONFIGURATION})

    assert stored["encrypted_at"] == YESTERDAY
    assert stored["is_encrypted"] == {"BOOL": True}


def test_both_attributes_when_encrypted_anew_then_encrypted_at_is_now(scene: Scene) -> None:
    key = scene.new_key()
    earlier = scene.encrypted_earlier(key, history=HISTORY) | {"encrypted_at": YESTERDAY}

    stored = stored_after(scene, key | earlier | {"configuration": CONFIGURATION})

    assert stored["encrypted_at"] == {"S": "2026-01-02T08:30:00Z"}


def test_item_when_decrypted_back_then_it_equals_what_its_writer_wrote(scene: Scene) -> None:
    original = scene.new_key() | {"history": HISTORY, "configuration": CONFIGURATION, "name": {"S": "ferry"}}

    stored = stored_after(scene, original)
    assert "history" not in stored

    assert stored_after(scene, stored, enabled=False) == original


# Laws, for every state that an item can be in


@st.composite
def states(draw: st.DrawFn) -> dict[str, Any]:
    """One state for each attribute, and the markers in any condition."""
    kinds = [
        "absent",
        "plain",
        "current",
        "earlier",
        "old",
        "both current",
        "both earlier",
        "both old",
        "both old equal",
    ]
    kinds.append("garbage")
    return {
        "history": draw(st.sampled_from(kinds)),
        "configuration": draw(st.sampled_from(kinds)),
        "is_encrypted": draw(st.sampled_from([None, {"BOOL": True}, {"BOOL": False}, {"S": "true"}])),
        "encrypted_at": draw(st.sampled_from([None, YESTERDAY, {"S": "2026-01-02T08:29:00Z"}, {"S": "?"}])),
        "conflict": draw(st.sampled_from([False, False, False, True])),
    }


def build(scene: Scene, key: Any, state: Mapping[str, Any]) -> dict[str, Any]:
    item = dict(key) | {"name": {"S": "ferry"}, "counts": {"NS": ["1", "2"]}}
    old: Any = {"L": [{"S": "earlier"}]}
    for name in ("history", "configuration"):
        new: Any = {"L": [{"S": f"newer {name}"}]}
        kind = state[name]
        match kind.removeprefix("both "):
            case "plain":
                item[name] = new
            case "current":
                item |= scene.encrypted(key, **{name: old})
            case "earlier":
                item |= scene.encrypted_earlier(key, **{name: old})
            case "old":
                item |= scene.lisa(key, **{name: old})
            case "old equal":
                item |= scene.lisa(key, **{name: new})
            case "garbage":
                item[f"encrypted_{name}"] = GARBAGE
        if kind.startswith("both "):
            item[name] = new
    for marker in ("is_encrypted", "encrypted_at"):
        if state[marker] is not None:
            item[marker] = state[marker]
    if state["conflict"]:
        item |= scene.encrypted(key, history_conflict={"L": [{"S": "kept"}]})
    return item


@hypothesis_settings(max_examples=100)
@given(states(), st.sampled_from(ROLES), st.booleans(), st.sampled_from(list(CHANGES)))
def test_any_item_when_reconciled_then_the_laws_hold(
    scene: Scene, state: dict[str, Any], role: Role, enabled: bool, changes: str
) -> None:
    key = scene.new_key()
    item = build(scene, key, state)
    scene.store(item)
    policy: dict[str, Any] = {"enabled": enabled} | CHANGES[changes]

    outcome = scene.reconcile(key, role, **policy)
    stored = scene.stored(key)
    assert stored is not None

    # What is not ours is never touched.
    ours = {"history", "configuration", "is_encrypted", "encrypted_at", "encryption_version"}
    assert {name: value for name, value in stored.items() if name not in ours and "encrypted_" not in name} == (
        key | {"name": {"S": "ferry"}, "counts": {"NS": ["1", "2"]}}
    )
    # A failure touches nothing; so does a deferral without a write.
    if outcome.status is Status.FAILED or not outcome.attributes:
        assert stored == item
    # An earlier conflict is never overwritten.
    if state["conflict"]:
        may_renew = role is Role.MIGRATOR and enabled
        assert may_renew or stored["encrypted_history_conflict"] == item["encrypted_history_conflict"]
    if outcome.status is Status.FAILED:
        assert outcome.reason in ("unknown-form", "marker-unusable", "conflict-unresolved")
        return
    if state["conflict"]:
        assert {"L": [{"S": "kept"}]} in scene.held(key, "history")
    # Converged: the same role finds nothing more that it could change, and a second time changes nothing.
    again = item_crypto.decide(stored, replace(scene.policy, **policy), role, scene.cipher.keys)
    assert again.changed == ()
    assert scene.reconcile(key, role, **policy).attributes == ()
    assert scene.stored(key) == stored
    # Whoever reads sees the same as before, and the loser of two is in the conflict.
    if outcome.attributes:
        assert scene.seen(key, stored, **policy) == scene.seen(key, item, **policy)
    for name in ("history", "configuration"):
        kept = {member["S"] for value in scene.held(key, name) for member in value["L"]}
        assert kept >= worth_keeping(name, state[name], policy)
    # On, nothing is left in plaintext but what was deferred; off, nothing new is encrypted but a conflict.
    if enabled:
        assert {name for name in ("history", "configuration") if name in stored} <= set(outcome.deferred)
    else:
        assert {name for name in stored if name.startswith("encrypted_") and name != "encrypted_at"} <= {
            *item,
            "encrypted_history_conflict",
            "encrypted_configuration_conflict",
        }
    # The markers say what is so, if anything was written.
    if outcome.attributes:
        encrypted = [name for name in ("history", "configuration") if f"encrypted_{name}" in stored]
        plain = [name for name in ("history", "configuration") if name in stored]
        assert stored.get("is_encrypted") == ({"BOOL": not plain} if encrypted else None)
        assert ("encryption_version" in stored) == bool(encrypted)
        assert encrypted or "encrypted_at" not in stored


def worth_keeping(name: str, kind: str, policy: dict[str, Any]) -> set[str]:
    """Return the texts that must not be lost: plaintext always; a ciphertext unless a newer plaintext replaces it."""
    texts = {f"newer {name}"} if kind.startswith("both") or kind in ("plain", "old equal") else set()
    if kind in ("current", "earlier", "old", "both old") or (
        kind in ("both current", "both earlier") and name in policy.get("appended", ())
    ):
        texts.add("earlier")
    return texts


def test_now_is_taken_in_utc_whatever_the_clocks_zone() -> None:
    east = datetime(2026, 1, 2, 10, 30, tzinfo=timezone(timedelta(hours=2)))
    update = encryption_of(KEY | PLAIN, now=east)

    assert {"S": "2026-01-02T08:30:00Z"} in update.sets.values()
    assert east == NOW.astimezone(UTC)
