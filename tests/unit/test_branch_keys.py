"""The table of branch keys: made once, rotated, destroyed for good, whoever comes at the worst moment."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from item_crypto.errors import (
    ConfigurationError,
    KeyDestroyed,
    KeyNotListed,
    KeyNotReady,
    SystemicError,
    TransientError,
)
from item_crypto.forms import open_envelope
from item_crypto.keys.branch_keys import BranchKeys, State
from item_crypto.keys.meter import KmsMeter
from tests.branch_keys import BRANCH_KEYS, TENANTS, Branches
from tests.faults import failing, interrupting
from tests.scene import HISTORY, NOW, POLICY, Scene


@pytest.fixture(scope="module")
def branches(scene: Scene) -> Branches:
    return Branches(scene)


@pytest.fixture
def tenant(scene: Scene) -> str:
    name: str = scene.new_key()["userId"]["S"]
    return name


def rows(branches: Branches, tenant: str) -> dict[str, dict[str, Any]]:
    """Return a tenant's rows, by type."""
    identifier = TENANTS.branch_key_id(tenant)
    return {row["type"]["S"]: row for row in branches.rows() if row["branch-key-id"]["S"] == identifier}


# Made once


def test_key_when_made_then_it_has_its_rows_and_is_found(scene: Scene, branches: Branches, tenant: str) -> None:
    found, is_new = branches.branch_keys.make(tenant)

    assert is_new
    assert (found.state, found.tenant, found.kms_key_arn) == (State.ACTIVE, tenant, scene.key_arn)
    assert rows(branches, tenant).keys() == {"branch:ACTIVE", "beacon:ACTIVE", found.version}
    assert branches.new().find(found.branch_key_id) == found


def test_key_when_made_again_then_it_is_the_one_that_is_there(branches: Branches, tenant: str) -> None:
    first, _ = branches.branch_keys.make(tenant)
    before = rows(branches, tenant)

    assert branches.new().make(tenant) == (first, False)
    assert rows(branches, tenant) == before


def test_key_when_many_make_it_at_once_then_all_have_the_same(branches: Branches, tenant: str) -> None:
    def make(_: int) -> Any:
        return branches.new().make(tenant)

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(8)))

    assert len({found for found, _ in made}) == 1
    assert sum(is_new for _, is_new in made) == 1
    assert len(rows(branches, tenant)) == 3


def test_key_when_somebody_else_makes_it_at_the_worst_moment_then_theirs_stands(
    scene: Scene, branches: Branches, tenant: str
) -> None:
    others: list[Any] = []
    with interrupting(
        scene.dynamodb, "dynamodb.TransactWriteItems", lambda: others.append(branches.new().make(tenant))
    ):
        found = branches.branch_keys.make(tenant)

    assert found == (others[0][0], False)


def test_key_when_the_answer_to_its_making_is_lost_then_it_is_read_back(
    scene: Scene, branches: Branches, tenant: str
) -> None:
    lost = failing(scene.dynamodb, "dynamodb.TransactWriteItems", "InternalServerError", status=500, moment="after")
    with lost, pytest.raises(TransientError):
        branches.branch_keys.make(tenant)

    found, is_new = branches.branch_keys.make(tenant)

    assert (found.state, is_new) == (State.ACTIVE, False)


@pytest.mark.parametrize(
    ("service", "operation", "code", "expected"),
    [
        ("kms", "kms.GenerateDataKeyWithoutPlaintext", "ThrottlingException", TransientError),
        ("kms", "kms.ReEncrypt", "AccessDeniedException", SystemicError),
        ("dynamodb", "dynamodb.TransactWriteItems", "AccessDeniedException", SystemicError),
        ("dynamodb", "dynamodb.TransactWriteItems", "ProvisionedThroughputExceededException", TransientError),
    ],
)
def test_key_when_a_service_fails_then_nothing_is_made_and_its_code_is_told(
    scene: Scene, branches: Branches, tenant: str, service: str, operation: str, code: str, expected: type[Exception]
) -> None:
    client = scene.kms if service == "kms" else scene.dynamodb
    with failing(client, operation, code), pytest.raises(expected, match=f"{service}: {code}"):
        branches.branch_keys.make(tenant)

    assert rows(branches, tenant) == {}


def test_call_when_it_is_metered_then_in_milliseconds(scene: Scene, branches: Branches, tenant: str) -> None:
    meter = KmsMeter()
    found, _ = branches.branch_keys.make(tenant)

    with interrupting(scene.kms, "kms.Decrypt", lambda: time.sleep(0.02)):
        branches.new(meter=meter).current(found.branch_key_id)

    (latency,) = meter.drain()
    assert 20 <= latency < 10_000


def test_rows_when_they_are_read_then_consistently_so_that_no_older_key_comes_back(
    scene: Scene, branches: Branches, tenant: str
) -> None:
    reads: list[tuple[str, bool]] = []

    def note(model: Any, params: dict[str, Any], **_: Any) -> None:
        if model.name in ("GetItem", "Query", "Scan"):
            reads.append((model.name, json.loads(params["body"]).get("ConsistentRead", False)))

    identifier = TENANTS.branch_key_id(tenant)
    scene.dynamodb.meta.events.register("before-call.dynamodb", note)
    try:
        branches.branch_keys.make(tenant)
        branches.new().current(identifier)
        branches.new().check(identifier)
        branches.branch_keys.rotate(identifier)
        branches.branch_keys.listed()
        branches.branch_keys.destroy(identifier, NOW)
    finally:
        scene.dynamodb.meta.events.unregister("before-call.dynamodb", note)

    assert {name for name, _ in reads} == {"GetItem", "Query", "Scan"}
    assert all(is_consistent for _, is_consistent in reads)


# Rotated


def test_key_when_rotated_then_writes_use_the_new_version_and_the_old_one_still_reads(
    scene: Scene, branches: Branches, tenant: str
) -> None:
    first, _ = branches.branch_keys.make(tenant)
    context = {"userId": tenant, "sessionId": "s", "purpose": POLICY.purpose}
    text = branches.cipher().encrypt({"history": HISTORY}, context)["history"]

    second = branches.branch_keys.rotate(first.branch_key_id)

    assert second.version != first.version
    assert {first.version, second.version} < rows(branches, tenant).keys()
    cipher = branches.cipher()
    newer = cipher.encrypt({"history": HISTORY}, context)["history"]
    for each in (text, newer):
        assert cipher.decrypt({"history": open_envelope({"S": each})}, context) == {"history": HISTORY}


def test_key_when_it_is_not_there_then_it_is_neither_rotated_nor_destroyed(branches: Branches, tenant: str) -> None:
    identifier = TENANTS.branch_key_id(tenant)

    for call in (branches.branch_keys.rotate, lambda each: branches.branch_keys.destroy(each, NOW)):
        with pytest.raises(KeyNotReady):
            call(identifier)
    assert rows(branches, tenant) == {}


def test_key_when_it_is_under_an_earlier_kms_key_then_it_reads_and_is_not_rotated(
    scene: Scene, branches: Branches, tenant: str
) -> None:
    found, _ = branches.new(key_arn=scene.earlier_key_arn).make(tenant)
    now = branches.new(earlier_key_arns=[scene.earlier_key_arn])

    now.check(found.branch_key_id)
    with pytest.raises(KeyNotListed):
        branches.new().check(found.branch_key_id)
    with pytest.raises(ConfigurationError):
        now.rotate(found.branch_key_id)


# Destroyed


def test_key_when_destroyed_then_a_tombstone_is_all_that_is_left(branches: Branches, tenant: str) -> None:
    found, _ = branches.branch_keys.make(tenant)
    branches.branch_keys.rotate(found.branch_key_id)

    buried = branches.branch_keys.destroy(found.branch_key_id, NOW)

    assert (buried.state, buried.tenant, buried.since) == (State.DESTROYED, None, "2026-01-02T08:30:00Z")
    (tombstone,) = rows(branches, tenant).values()
    assert tombstone == {
        "branch-key-id": {"S": found.branch_key_id},
        "type": {"S": "branch:ACTIVE"},
        "destroyed-at": {"S": "2026-01-02T08:30:00Z"},
    }


def test_key_when_destroyed_twice_then_the_first_time_stands(branches: Branches, tenant: str) -> None:
    found, _ = branches.branch_keys.make(tenant)
    buried = branches.branch_keys.destroy(found.branch_key_id, NOW)

    assert branches.branch_keys.destroy(found.branch_key_id, NOW.replace(year=2030)) == buried


def test_key_when_it_has_more_versions_than_a_transaction_holds_then_none_is_left(
    scene: Scene, branches: Branches, tenant: str
) -> None:
    found, _ = branches.branch_keys.make(tenant)
    row = rows(branches, tenant)[found.version or ""]
    for number in range(205):
        scene.plain.put_item(TableName=BRANCH_KEYS, Item=row | {"type": {"S": f"branch:version:{number}"}})

    branches.branch_keys.destroy(found.branch_key_id, NOW)

    assert rows(branches, tenant).keys() == {"branch:ACTIVE"}


def test_key_when_its_destruction_was_cut_off_then_a_second_time_finishes_it(
    scene: Scene, branches: Branches, tenant: str
) -> None:
    found, _ = branches.branch_keys.make(tenant)
    row = rows(branches, tenant)[found.version or ""]
    branches.branch_keys.destroy(found.branch_key_id, NOW)
    scene.plain.put_item(TableName=BRANCH_KEYS, Item=row)  # As if the second transaction had never been sent.

    branches.branch_keys.destroy(found.branch_key_id, NOW)

    assert rows(branches, tenant).keys() == {"branch:ACTIVE"}


Act = Callable[[BranchKeys, str], Any]


@pytest.mark.parametrize(
    "act",
    [lambda keys, name: keys.make(name), lambda keys, name: keys.rotate(keys.tenants.branch_key_id(name))],
    ids=["made again", "rotated"],
)
def test_tombstone_when_somebody_comes_later_then_it_stands(branches: Branches, tenant: str, act: Act) -> None:
    found, _ = branches.branch_keys.make(tenant)
    branches.branch_keys.destroy(found.branch_key_id, NOW)
    before = rows(branches, tenant)

    with pytest.raises(KeyDestroyed):
        act(branches.new(), tenant)

    assert rows(branches, tenant) == before


def test_tombstone_when_its_key_is_being_made_meanwhile_then_it_is_not_overwritten(
    scene: Scene, branches: Branches, tenant: str
) -> None:
    """Another one made the key and shredded the tenant, between our look and our write."""

    def made_and_destroyed() -> None:
        other = branches.new()
        other.destroy(other.make(tenant)[0].branch_key_id, NOW)

    with (
        interrupting(scene.dynamodb, "dynamodb.TransactWriteItems", made_and_destroyed),
        pytest.raises(KeyDestroyed),
    ):
        branches.branch_keys.make(tenant)

    assert rows(branches, tenant).keys() == {"branch:ACTIVE"}
    assert branches.branch_keys.find(TENANTS.branch_key_id(tenant)).state is State.DESTROYED


def test_tombstone_when_its_key_is_being_rotated_meanwhile_then_it_is_not_overwritten(
    scene: Scene, branches: Branches, tenant: str
) -> None:
    """The MPL's own condition asks for a row only, and the tombstone is one."""
    identifier = branches.branch_keys.make(tenant)[0].branch_key_id

    with (
        interrupting(scene.dynamodb, "dynamodb.TransactWriteItems", lambda: branches.new().destroy(identifier, NOW)),
        pytest.raises(KeyDestroyed),
    ):
        branches.branch_keys.rotate(identifier)

    assert rows(branches, tenant).keys() == {"branch:ACTIVE"}
    assert branches.branch_keys.find(identifier).state is State.DESTROYED


def test_destruction_when_the_key_is_rotated_meanwhile_then_nothing_is_destroyed(
    scene: Scene, branches: Branches, tenant: str
) -> None:
    """A version that was made after the look would outlive the key."""
    identifier = branches.branch_keys.make(tenant)[0].branch_key_id

    with (
        interrupting(scene.dynamodb, "dynamodb.TransactWriteItems", lambda: branches.new().rotate(identifier)),
        pytest.raises(TransientError),
    ):
        branches.branch_keys.destroy(identifier, NOW)

    assert branches.branch_keys.find(identifier).state is State.ACTIVE
    assert len(rows(branches, tenant)) == 4
    branches.branch_keys.destroy(identifier, NOW)
    assert len(rows(branches, tenant)) == 1


# Listed


def test_keys_when_listed_page_by_page_then_each_is_there_once(branches: Branches, scene: Scene) -> None:
    names = [scene.new_key()["userId"]["S"] for _ in range(4)]
    made = {branches.branch_keys.make(name)[0].branch_key_id for name in names}
    buried = branches.branch_keys.make("buried")[0].branch_key_id
    branches.branch_keys.destroy(buried, NOW)

    found, after = branches.branch_keys.listed(limit=5)
    while after is not None:
        more, after = branches.branch_keys.listed(after, limit=5)
        found += more

    identifiers = [each.branch_key_id for each in found]
    assert len(identifiers) == len(set(identifiers))
    assert made | {buried} <= set(identifiers)
    assert set(names) <= {each.tenant for each in found}
    assert {each.state for each in found if each.branch_key_id == buried} == {State.DESTROYED}


def test_key_when_shown_then_no_key_is(branches: Branches, tenant: str) -> None:
    found, _ = branches.branch_keys.make(tenant)

    assert all(str(row["enc"]["B"]) not in repr(found) for row in rows(branches, tenant).values())


@pytest.mark.parametrize("reads", [1, 2, 3])
def test_rotation_when_the_key_is_destroyed_between_any_two_of_its_reads_then_that_is_told(
    scene: Scene, branches: Branches, tenant: str, reads: int
) -> None:
    identifier = branches.branch_keys.make(tenant)[0].branch_key_id
    seen = [0]

    def destroyed() -> None:
        seen[0] += 1
        if seen[0] == reads:
            Branches(scene).new_over(scene.plain).destroy(identifier, NOW)

    with (
        interrupting(scene.dynamodb, "dynamodb.GetItem", destroyed, times=10),
        suppress(KeyDestroyed),
    ):
        branches.branch_keys.rotate(identifier)

    assert seen[0] >= min(reads, 2)
    if seen[0] >= reads:
        assert branches.branch_keys.find(identifier).state is State.DESTROYED
        assert rows(branches, tenant).keys() == {"branch:ACTIVE"}
