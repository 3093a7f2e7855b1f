"""The operator's commands over the migrator itself: what one says, the other understands."""

import json
from pathlib import Path

from tests.migration import SECRET, Migration
from tests.operated import Run, printed


def test_migrate_verify_and_back(run: Run, world: Migration) -> None:
    originals = {f"s{number}": world.plain(f"s{number}", number) for number in range(20)}

    assert run("verify", "--interval", "0.05").exit_code == 1
    migrated = run("migrate", "--watch", "--interval", "0.05")
    assert migrated.exit_code == 0, migrated.output
    assert "20  encrypted" in migrated.stdout
    verified = run("verify", "--deep", "--interval", "0.05")
    assert verified.exit_code == 0, verified.output
    assert f"20 under {world.key_arn} (the current key)" in verified.stdout

    assert run("decrypt").exit_code == 4
    assert run("config", "off", "--yes").exit_code == 0
    world.switch(False, 1)
    decrypted = run("decrypt", "--watch", "--interval", "0.05")
    assert decrypted.exit_code == 0, decrypted.output
    assert world.all() == originals


def test_status_and_config_are_understood(run: Run, world: Migration) -> None:
    shown = run("status")
    assert shown.exit_code == 0, shown.output
    assert world.key_arn in shown.stdout
    assert run("config", "show").exit_code == 0
    assert json.loads(printed(run("config", "on", "--json")))["setting"]["enabled"] is True


def test_a_sweep_is_paused_resumed_and_cancelled(run: Run, world: Migration) -> None:
    world.plain("s")
    assert run("migrate", "--segments", "2").exit_code == 0
    assert run("migrate").exit_code == 4
    for verb, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        changed = run(verb)
        assert changed.exit_code == 0, changed.output
        assert f"is {state}" in changed.stdout
    assert run("cancel").exit_code == 5
    assert run("pause", "no-such-sweep").exit_code == 5


def test_an_item_is_decrypted(run: Run, world: Migration) -> None:
    world.plain("s")
    assert run("migrate", "--watch", "--interval", "0.05").exit_code == 0
    shown = run("decrypt-item", '{"sessionId": "s", "userId": "alice"}')
    assert json.loads(printed(shown))["history"][0]["content"] == SECRET
    assert run("decrypt-item", '{"sessionId": "other", "userId": "alice"}').exit_code == 5
    assert run("decrypt-item", '{"sessionId": "s"}').exit_code == 2


def test_a_dead_letter_is_listed_redriven_and_discarded(run: Run, world: Migration) -> None:
    world.put("s", encrypted_history={"S": "no ciphertext"})
    assert run("migrate", "--watch", "--interval", "0.05").exit_code == 1
    (letter,) = json.loads(printed(run("failures", "list", "--json")))["failures"]
    assert letter["id"] in run("failures", "list").stdout
    assert run("failures", "redrive").exit_code == 1
    (letter,) = json.loads(printed(run("failures", "list", "--json")))["failures"]
    assert run("failures", "discard", letter["id"], "--reason", "test data").exit_code == 0
    assert printed(run("failures", "list")) == "No failures."


def test_a_report_is_written(run: Run, world: Migration, tmp_path: Path) -> None:
    world.plain("s")
    assert run("migrate", "--watch", "--interval", "0.05").exit_code == 0
    reported = run("report", "--output", str(tmp_path / "r.json"), "--interval", "0.05")
    evidence = json.loads((tmp_path / "r.json").read_text())
    assert evidence["verification"]["byKey"] == {world.key_arn: 1}
    assert "which encrypted the last plaintext" in evidence["earlierPlaintext"]["basis"]
    # moto's key is not rotated and there is no mapping here: both are said, and nothing else.
    assert [finding.split(" ")[1] for finding in evidence["findings"]] == ["key's", "stream"]
    assert reported.exit_code == 1
