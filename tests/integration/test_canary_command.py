"""A canary as an operator has it: on for a part by the command, looked at, widened, and taken back."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from dynamodb_stream_encryptor.errors import UsageError
from dynamodb_stream_encryptor.part import narrows, part_of, part_text
from item_crypto.core.part import Buckets
from migrator.application import application
from tests.migration import Migration
from tests.operated import Run, printed

KEY = '{"sessionId": "s1", "userId": "alice"}'
OTHER = '{"sessionId": {"S": "s2"}, "userId": {"S": "alice"}}'
ONE = {"sessionId": {"S": "s1"}, "userId": {"S": "alice"}}
TWO = {"sessionId": {"S": "s2"}, "userId": {"S": "alice"}}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Migration]:
    with mock_aws():
        yield Migration(monkeypatch, SESSION_ENCRYPTION_ENABLED="false")
    application.cache_clear()
    boto3.setup_default_session()


def encrypted(world: Migration) -> set[str]:
    return {session for session, item in world.all().items() if "history" not in item}


def test_canary_from_off_to_a_part_to_all_and_back(run: Run, world: Migration) -> None:
    originals = {f"s{number}": world.plain(f"s{number}", number) for number in range(20)}
    inside = {name for name, item in originals.items() if Buckets(5000).has(item, ("userId", "sessionId"))}

    on = run("config", "on", "--part", "50%")
    assert on.exit_code == 0, on.output
    assert "Encryption is on for 50% of the keys only (version 1, by " in printed(on)
    assert "`stream-encryptor migrate --local" in printed(on)
    world.passed += timedelta(hours=1)
    found = run("verify", "--interval", "0.05")
    assert found.exit_code == 1
    assert f"{len(inside)}  in plaintext, in the part" in printed(found)

    migrated = run("migrate", "--watch", "--interval", "0.05")
    assert migrated.exit_code == 0, migrated.output
    assert encrypted(world) == inside
    verified = run("verify", "--deep", "--interval", "0.05")
    assert verified.exit_code == 0, verified.output
    assert f"The part is as it should be: 50% of the keys, {len(inside)} items of 20, " in printed(verified)
    assert "As it should be:" not in printed(verified)
    assert "on for 50% of the keys only" in printed(run("status"))
    assert "on for 50% of the keys only" in printed(run("config", "show"))
    assert run("decrypt").exit_code == 4

    assert run("config", "on").exit_code == 0
    world.passed += timedelta(hours=1)
    world.pump()
    assert run("verify", "--interval", "0.05").exit_code == 0
    assert encrypted(world) == set(originals)

    assert run("config", "on", "--part", "1%", input="n\n").exit_code == 2
    assert run("config", "off", "--yes").exit_code == 0
    world.passed += timedelta(hours=1)
    assert run("decrypt", "--watch", "--interval", "0.05").exit_code == 0
    assert world.all() == originals


def test_listed_keys_are_shown_in_config_show_alone(run: Run, world: Migration, tmp_path: Path) -> None:
    (tmp_path / "keys.jsonl").write_text(f"{KEY}\n\n{OTHER}\n")

    on = run("config", "on", "--keys-file", str(tmp_path / "keys.jsonl"))

    assert on.exit_code == 0, on.output
    assert "Encryption is on for 2 listed keys only" in printed(on)
    shown = printed(run("config", "show"))
    assert f"- {json.dumps(ONE)}" in shown.splitlines()
    assert "alice" not in printed(run("status"))
    assert json.loads(printed(run("config", "show", "--json")))["listedKeys"] == [ONE, TWO]


def test_narrowing_asks_and_widening_does_not(run: Run, world: Migration) -> None:
    assert run("config", "on", "--part", "1%").exit_code == 0

    unanswered = run("config", "on", "--part", "0.5%")
    assert (unanswered.exit_code, "Nobody is there to confirm" in unanswered.stderr) == (2, True)
    assert run("config", "on", "--part", "0.5%", input="y\n").exit_code == 0
    assert json.loads(printed(run("config", "show", "--json")))["setting"]["part"] == {"buckets": 50, "of": 10_000}
    assert run("config", "on", "--part", "2%").exit_code == 0
    assert run("config", "on", "--keys", KEY, "--yes").exit_code == 0
    assert run("config", "on", "--keys", f"{OTHER}, {KEY}").exit_code == 0
    assert run("config", "on", "--keys", OTHER).exit_code == 2
    assert run("config", "on").exit_code == 0


def test_keys_of_another_table_are_refused(run: Run, world: Migration) -> None:
    result = run("config", "on", "--keys", '{"orderId": 17}')

    assert result.exit_code == 2
    assert "sessionId (S) and userId (S)" in result.stderr


# What is typed


@pytest.mark.parametrize(
    ("typed", "buckets"),
    [("1%", 100), ("1", 100), ("0.01%", 1), ("0.5 %", 50), ("12.34%", 1234), ("99.99%", 9999), (" 10.0% ", 1000)],
)
def test_percentage_when_typed_then_it_is_so_many_buckets(typed: str, buckets: int) -> None:
    assert part_of([], None, typed) == {"buckets": buckets}


@pytest.mark.parametrize("typed", ["", "0", "0.00%", "100%", "1.234%", "-1%", "1e1", ".5%", "one", "1,5%", "١%"])
def test_percentage_when_it_is_none_then_it_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="percentage"):
        part_of([], None, typed)


@pytest.mark.parametrize(
    "typed",
    [[KEY, OTHER], [f"{KEY},{OTHER}"], [f"{KEY} , {OTHER} "], [f"[{KEY}, {OTHER}]"], [f"[{KEY}]", OTHER]],
)
def test_keys_when_typed_in_any_way_then_they_are_the_same(typed: list[str]) -> None:
    assert part_of(typed, None, None) == {"keys": [ONE, TWO]}


def test_keys_when_they_have_numbers_then_these_keep_their_digits() -> None:
    typed = '{"orderId": 12345678901234567890123456789.10, "at": 1E+3}, {"orderId": 1, "at": {"N": "2"}}'

    assert part_of([typed], None, None) == {
        "keys": [
            {"orderId": {"N": "12345678901234567890123456789.10"}, "at": {"N": "1E+3"}},
            {"orderId": {"N": "1"}, "at": {"N": "2"}},
        ]
    }


@pytest.mark.parametrize("typed", ["", "[]", "{", f"{KEY},", f"{KEY} {OTHER}", f"[{KEY}", "dlg-1", "[1]", f"{KEY}]"])
def test_keys_when_they_are_none_then_they_are_refused(typed: str) -> None:
    with pytest.raises(UsageError):
        part_of([typed], None, None)


def test_keys_when_their_file_is_none_then_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_text(f"{KEY}\n" * 50_000)

    for name in ("missing", "empty", "binary", "large"):
        with pytest.raises(UsageError):
            part_of([], tmp_path / name, None)


def test_part_when_named_twice_then_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        part_of([KEY], None, "1%")
    with pytest.raises(UsageError, match="exclude each other"):
        part_of([], tmp_path, "1%")


@pytest.mark.parametrize("now", [{}, {"colour": "red"}, {"keys": 1}, {"buckets": 2, "of": 10_000}, None])
def test_part_when_it_is_not_known_to_be_more_then_it_is_taken_for_less(now: Any) -> None:
    before = {"setting": {"enabled": True, "part": now, "version": 1}}

    assert narrows(before, {"buckets": 1})
    assert narrows(before, {"keys": [ONE]})
    assert not narrows(before, None)
    assert not narrows({"setting": {"enabled": False}}, {"buckets": 1})


@pytest.mark.parametrize(
    ("listed", "typed"),
    [
        ({"id": {"N": "1"}}, '{"id": 1.0}'),
        ({"id": {"N": "1"}}, '{"id": {"N": "1E0"}}'),
        ({"id": {"N": "0"}}, '{"id": -0.0}'),
        ({"id": {"B": "AA=="}}, '{"id": {"B": "AB=="}}'),
    ],
)
def test_part_when_its_keys_are_spelled_in_another_way_then_it_is_not_taken_for_less(
    listed: dict[str, Any], typed: str
) -> None:
    before = {"setting": {"enabled": True, "part": {"keys": 1}, "version": 1}, "listedKeys": [listed]}

    assert not narrows(before, part_of([typed], None, None))


def test_part_when_its_keys_only_look_alike_then_it_is_taken_for_less() -> None:
    before = {"setting": {"enabled": True, "part": {"keys": 1}, "version": 1}, "listedKeys": [{"id": {"N": "1"}}]}

    for typed in ('{"id": "1"}', '{"id": 1.00000000000000000000000000000000000001}', '{"id": 10}'):
        assert narrows(before, part_of([typed], None, None))


def test_part_when_of_an_unknown_kind_then_it_is_never_called_all() -> None:
    assert [part_text(part) for part in ({}, {"colour": "red"}, {"keys": "many"})] == ["a part"] * 3
