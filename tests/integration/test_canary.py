"""Encryption on for a part of the items: a canary, end to end over moto."""

from datetime import timedelta
from typing import Any

import pytest

from item_crypto.core.part import Buckets
from tests.migration import Migration

SMALL = {"buckets": 5000}
NAMES = ("userId", "sessionId")


@pytest.fixture
def world(aws: None, monkeypatch: pytest.MonkeyPatch) -> Migration:
    world = Migration(monkeypatch, SESSION_ENCRYPTION_ENABLED="false")
    # What is held back for a while comes at once: by the migrator's clock, an hour passes with each change.
    world.clients.sqs.meta.events.register(
        "provide-client-params.sqs.SendMessage", lambda params, **_: {**params, "DelaySeconds": 0}
    )
    return world


def key(session: str) -> dict[str, Any]:
    return {"sessionId": {"S": session}, "userId": {"S": "alice"}}


def part(world: Migration, document: dict[str, Any] | None, version: int, **fields: Any) -> dict[str, Any]:
    """Have encryption on for a part, long enough ago that every function has read it."""
    answer = world.command("set-config", enabled=True, version=version, part=document, **fields)
    world.passed += timedelta(hours=1)
    return answer


def encrypted(world: Migration) -> set[str]:
    return {session for session, item in world.all().items() if "encrypted_history" in item and "history" not in item}


def fill(world: Migration, number: int = 40) -> tuple[set[str], set[str]]:
    """Put sessions; return those within half of the buckets, and the others."""
    items = {f"dlg-{each}": world.plain(f"dlg-{each}", each) for each in range(number)}
    inside = {session for session, item in items.items() if Buckets(5000).has(item, NAMES)}
    assert 0 < len(inside) < number
    return inside, set(items) - inside


def test_given_off_when_on_for_buckets_then_no_sweep_follows_and_a_migration_touches_the_part_only(
    world: Migration,
) -> None:
    inside, outside = fill(world)

    answer = part(world, SMALL, 0)
    world.pump()

    assert answer["setting"]["part"] == {"buckets": 5000, "of": 10_000}
    assert world.command("status")["sweeps"] == []
    assert encrypted(world) == set()

    sweep = world.run("encrypt")

    assert encrypted(world) == inside
    assert (sweep["counts"]["encrypted"], sweep["counts"]["nothing"]) == (len(inside), len(outside))


def test_given_off_when_on_for_listed_keys_then_their_items_are_encrypted_and_no_other(world: Migration) -> None:
    for session in ("dlg-1", "dlg-2", "dlg-3"):
        world.plain(session)

    answer = part(world, {"keys": [key("dlg-1"), key("dlg-3"), key("nobody's")]}, 0)
    assert world.pump() > 0

    assert answer["setting"]["part"] == {"keys": 3}
    assert encrypted(world) == {"dlg-1", "dlg-3"}
    assert world.command("status")["sweeps"] == []
    assert world.letters() == []
    assert world.clear("dlg-1")["history"] == world.get("dlg-2")["history"]


def test_given_a_part_when_on_for_all_then_the_sweep_follows(world: Migration) -> None:
    inside, outside = fill(world)
    part(world, SMALL, 0)
    world.run("encrypt")

    world.switch(True, 1)
    world.pump()

    assert encrypted(world) == inside | outside
    assert [sweep["goal"] for sweep in world.command("status")["sweeps"]] == ["encrypt", "encrypt"]


def test_given_a_part_when_off_and_decrypted_then_all_is_as_it_was(world: Migration) -> None:
    fill(world)
    before = world.all()
    part(world, SMALL, 0)
    world.run("encrypt")
    assert world.all() != before

    world.switch(False, 1)
    world.run("decrypt")

    assert world.all() == before


def test_given_a_part_when_a_sweep_is_to_decrypt_then_the_setting_forbids_it(world: Migration) -> None:
    part(world, SMALL, 0)

    assert world.command("start", goal="decrypt")["error"]["code"] == "forbidden-by-setting"


@pytest.mark.parametrize("narrower", [{"buckets": 4999}, {"keys": [{"sessionId": {"S": "a"}, "userId": {"S": "b"}}]}])
def test_given_a_part_when_it_is_narrowed_then_it_has_to_be_confirmed(
    world: Migration, narrower: dict[str, Any]
) -> None:
    part(world, SMALL, 0)

    refusal = part(world, narrower, 1)
    assert refusal["error"]["field"] == "confirm"
    assert world.command("config")["setting"]["version"] == 1

    assert part(world, narrower, 1, confirm="switch-off")["setting"]["version"] == 2
    assert part(world, SMALL, 2, confirm=None).get("error", {}).get("field") == (
        "confirm" if "keys" in narrower else None
    )


def test_given_on_for_all_when_on_for_a_part_then_it_has_to_be_confirmed(world: Migration) -> None:
    world.switch(True, 0)

    assert part(world, SMALL, 1)["error"]["field"] == "confirm"
    assert part(world, SMALL, 1, confirm="switch-off")["setting"]["part"] == {"buckets": 5000, "of": 10_000}


@pytest.mark.parametrize(
    "wrong",
    [
        {"buckets": 0},
        {"buckets": 10_000},
        {"keys": []},
        {"keys": [{"sessionId": {"S": "dlg-1"}}]},
        {"keys": [{"sessionId": {"S": "dlg-1"}, "userId": {"N": "1"}}]},
        {"keys": [{"sessionId": {"S": "dlg-1"}, "user": {"S": "alice"}}]},
        {"keys": [{"sessionId": {"S": "dlg-1"}, "userId": {"S": ""}}]},
        {"keys": [{"sessionId": {"S": "dlg-1"}, "\ud800": {"S": "alice"}}]},
        {"keys": [{"sessionId": {"S": "dlg-1"}, "userId": {"S": "\ud800"}}]},
        {"percent": 1},
        "1%",
    ],
)
def test_given_a_part_that_is_none_then_it_is_refused_and_nothing_changes(world: Migration, wrong: Any) -> None:
    assert part(world, wrong, 0)["error"]["field"] == "part"
    assert world.command("config")["history"] == []


def test_given_off_when_a_part_is_given_too_then_it_is_refused(world: Migration) -> None:
    answer = world.command("set-config", enabled=False, version=0, part=SMALL, confirm="switch-off")

    assert answer["error"]["field"] == "part"


def test_given_listed_keys_when_asked_for_again_then_they_are_looked_after_again_at_the_same_version(
    world: Migration,
) -> None:
    keys = {"keys": [key("dlg-1")]}
    part(world, keys, 0)
    world.pump()
    world.plain("dlg-1")  # Its stream record was lost.

    assert part(world, keys, 1)["setting"]["version"] == 1
    world.pump()

    assert encrypted(world) == {"dlg-1"}


def test_given_buckets_when_asked_for_again_then_nothing_is_queued(world: Migration) -> None:
    part(world, SMALL, 0)

    assert part(world, SMALL, 1)["setting"]["version"] == 1
    assert world.pump() == 0


def test_given_listed_keys_when_the_setting_changed_before_their_turn_then_they_are_left_alone(
    world: Migration,
) -> None:
    world.plain("dlg-1")
    part(world, {"keys": [key("dlg-1")]}, 0)
    world.switch(False, 1)

    world.pump()

    assert encrypted(world) == set()


def test_config_given_listed_keys_then_they_are_in_the_setting_alone(
    world: Migration, capsys: pytest.CaptureFixture[str]
) -> None:
    part(world, {"keys": [key("Wilhelmine")]}, 0)
    world.command("set-config", enabled=True, version=7, part={"keys": [key("Wilhelmine")]})

    answer = world.command("config")
    elsewhere = [world.command("status"), world.command("actions"), answer["history"], answer["setting"]]

    assert answer["listedKeys"] == [key("Wilhelmine")]
    assert answer["history"][0]["part"] == {"keys": 1}
    assert "Wilhelmine" not in str(elsewhere)
    assert "Wilhelmine" not in capsys.readouterr().out
    assert [action["detail"]["listedKeys"] for action in world.command("actions")["actions"]] == [1, 1]


@pytest.mark.parametrize("deep", [True, False])
def test_given_a_part_when_verified_then_each_item_is_judged_by_its_own_policy(world: Migration, deep: bool) -> None:
    inside, outside = fill(world)
    part(world, SMALL, 0)

    before = world.run("verify", deep=deep)
    findings = world.command("judge", sweep=before["id"])["judgement"]
    world.run("encrypt")
    after = world.run("verify", deep=deep)
    good = world.command("judge", sweep=after["id"])["judgement"]

    assert (before["counts"], before["outside"]) == ({"plaintext": len(inside)}, {"plaintext": len(outside)})
    assert findings["findings"] == [f"{len(inside)} items in plaintext."]
    assert (after["counts"], after["outside"]) == ({"encrypted": len(inside)}, {"plaintext": len(outside)})
    assert good["verdict"] == ("part-as-it-should-be" if deep else "part-as-it-should-be-by-headers")
    assert f"This says nothing of the other {len(outside)} of 40 items" in good["sentence"]
    assert world.command("report")["report"]["verdict"] == "not-as-it-should-be"


def test_given_a_part_that_was_narrowed_when_verified_then_what_is_encrypted_outside_is_found(world: Migration) -> None:
    inside, _ = fill(world)
    part(world, SMALL, 0)
    world.run("encrypt")
    part(world, {"buckets": 1}, 1, confirm="switch-off")

    judgement = world.command("judge", sweep=world.run("verify")["id"])["judgement"]

    assert f"{len(inside)} items encrypted, though outside of the part." in judgement["findings"]
