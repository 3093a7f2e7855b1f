"""`verify` and `report` over the migrator itself: what was seen under attack never comes out green."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from dynamodb_stream_encryptor.__main__ import app
from item_crypto import Role
from migrator import control as control_function
from tests.fake_control import FUNCTION, FakeAws
from tests.migration import Migration, context

Run = Callable[..., Result]


@pytest.fixture
def run(world: Migration, tmp_path: Path) -> Iterator[Run]:
    """Run a command against a local stack whose queues are worked off whenever a sweep is looked at."""

    def control(event: dict[str, Any]) -> Any:
        if event["command"] == "sweep":
            world.pump()
        return control_function.handle(event, context(), world.parts)

    fake = FakeAws(control)
    stack = {"endpoint_url": fake.url, "region": "us-east-1", "outputs": {"ControlFunctionName": FUNCTION}}
    (tmp_path / "stack.json").write_text(json.dumps(stack))

    def command(*arguments: str) -> Result:
        options = ("--local", "--state-directory", str(tmp_path))
        waits = ("--interval", "0.05") if arguments[0] != "config" else ()
        return CliRunner().invoke(app, [*arguments, *waits, *options])

    yield command
    fake.stop()


def test_misspelt_attributes_when_all_is_plaintext_then_verify_and_report_fail_and_name_them(
    run: Run, world: Migration, tmp_path: Path
) -> None:
    for number in range(9):
        world.plain(f"s{number}", number)
    world.set(ENCRYPTED_ATTRIBUTES="histroy,configuraton")

    verified = run("verify", "--deep")
    reported = run("report", "--deep", "--output", str(tmp_path / "r.json"))

    assert (verified.exit_code, reported.exit_code) == (1, 1)
    assert "No item has the attribute histroy" in verified.stdout
    found = json.loads((tmp_path / "r.json").read_text())
    assert found["verdict"] == "not-as-it-should-be"
    assert sum("No item has the attribute" in finding for finding in found["findings"]) == 2
    assert found["earlierPlaintext"]["encryptedBy"] is None


def test_attribute_when_it_may_be_absent_then_verify_says_yes_and_only_of_that_one(run: Run, world: Migration) -> None:
    world.put("s", history={"L": []})
    assert run("migrate", "--watch").exit_code == 0

    assert run("verify", "--deep").exit_code == 1
    assert run("verify", "--deep", "--may-be-absent", "history").exit_code == 1
    excused = run("verify", "--deep", "--may-be-absent", "configuration")
    assert excused.exit_code == 0, excused.output
    assert "1 item, 1 value decrypted" in excused.stdout


def test_empty_table_when_verified_then_that_is_not_as_it_should_be(run: Run, world: Migration) -> None:
    empty = run("verify")

    assert empty.exit_code == 1
    assert "The table is empty: nothing was looked at." in empty.stdout
    assert run("verify", "--may-be-absent", "history", "--may-be-absent", "configuration").exit_code == 0


def test_switched_off_and_decrypted_when_verified_then_as_it_should_be(run: Run, world: Migration) -> None:
    world.plain("s")
    assert run("migrate", "--watch").exit_code == 0
    world.switch(False, 0)
    assert run("verify").exit_code == 1
    assert run("decrypt", "--watch").exit_code == 0

    verified = run("verify", "--deep")

    assert verified.exit_code == 0, verified.output
    assert "As it should be: encryption is off" in verified.stdout


def test_values_when_some_are_binary_then_verify_counts_both_and_says_nothing_of_base64_alone(
    run: Run, world: Migration, tmp_path: Path
) -> None:
    world.plain("s")
    assert run("migrate", "--watch").exit_code == 0
    assert "stored as" not in run("verify").stdout
    world.set(CIPHERTEXT_ENCODING="binary")
    world.plain("t")
    world.reconcile("t", Role.ENCRYPTOR)

    halfway = run("verify", "--deep")
    assert run("re-encrypt", "--watch").exit_code == 0
    complete = run("verify", "--deep")
    assert run("report", "--deep", "--output", str(tmp_path / "r.json")).exit_code in (0, 1)

    assert (halfway.exit_code, complete.exit_code) == (0, 0)
    assert "2 values stored as base64" in halfway.stdout
    assert "2 values stored as binary" in halfway.stdout
    assert "4 values stored as binary" in complete.stdout
    assert "base64" not in complete.stdout
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["encryption"]["encoding"], report["verification"]["byEncoding"]) == ("binary", {"binary": 4})


def test_ciphertext_when_its_attribute_left_the_list_then_verify_names_it(run: Run, world: Migration) -> None:
    world.plain("s")
    assert run("migrate", "--watch").exit_code == 0
    stored = world.get("s")
    world.put("t", history=stored["encrypted_history"], encrypted_notes=stored["encrypted_history"])
    assert run("migrate", "--watch").exit_code == 0

    verified = run("verify")
    told = run("verify", "--json")

    assert verified.exit_code == 1
    assert "ciphertext in encrypted_notes" in " ".join(verified.stdout.split())
    document = json.loads("\n".join(line for line in told.stdout.splitlines() if not line.startswith('{"_aws"')))
    assert document["verdict"] == "not-as-it-should-be"
    assert document["sweep"]["strays"] == {"encrypted_notes": 1}
