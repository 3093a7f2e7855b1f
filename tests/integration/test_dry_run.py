"""``--dry-run``: each command that changes something says what it would do, does nothing, and does that then."""

import inspect
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from dynamodb_stream_encryptor.__main__ import app
from migrator import dry_run, recorded, requests
from tests.faults import failing
from tests.migration import CONTROL, TABLE, Migration
from tests.operated import Run, printed

KEY = '{"sessionId": "s1", "userId": "alice"}'


class Clock:
    """Time that passes only where somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def everything(world: Migration) -> Any:
    """Return all that is stored: both tables, and the messages of all queues, those that are held back too."""
    tables = {
        name: sorted(map(str, world.dynamodb.scan(TableName=name, ConsistentRead=True)["Items"]))
        for name in (TABLE, CONTROL)
    }
    queues = {}
    for queue in (world.work, world.deferred, world.failures):
        counted = world.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        numbers = {name: number for name, number in counted.items() if name.startswith("ApproximateNumber")}
        bodies = sorted(
            message["Body"]
            for message in world.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0).get(
                "Messages", []
            )
        )
        queues[queue] = numbers, bodies
    return tables, queues


def filled(world: Migration) -> None:
    for number in range(7):
        world.plain(f"s{number}", number)
    world.run("encrypt")
    for number in range(7, 10):
        world.plain(f"s{number}", number)
    world.put("poison", encrypted_history={"S": "no ciphertext"})


def on(world: Migration) -> None:
    filled(world)


def off(world: Migration) -> None:
    filled(world)
    world.switch(False, 0)


def with_letters(world: Migration) -> None:
    filled(world)
    world.run("encrypt")


def running(world: Migration) -> None:
    filled(world)
    world.start("encrypt")


def paused(world: Migration) -> None:
    running(world)
    world.command("pause", sweep=world.command("status")["sweeps"][0]["id"])


def on_for_a_part(world: Migration) -> None:
    off(world)
    world.command("set-config", enabled=True, version=1, part={"buckets": 5000})


CASES: list[tuple[Callable[[Migration], None], tuple[str, ...], str]] = [
    (on, ("migrate",), "3  would be encrypted"),
    (on, ("re-encrypt", "--older-than", "0"), "10  would be encrypted"),
    (off, ("decrypt",), "7  would be decrypted"),
    (on, ("config", "off"), "It would be off."),
    (off, ("config", "on"), "A sweep over the table would follow."),
    (off, ("config", "on", "--part", "1%"), "It would be on for 1% of the keys only."),
    (off, ("config", "on", "--keys", KEY), "The listed keys would be encrypted."),
    (on_for_a_part, ("config", "on", "--part", "0.5%"), "which has to be confirmed"),
    (running, ("config", "off"), "It would stop the sweep "),
    (running, ("pause",), "it would be paused."),
    (paused, ("resume",), "it would be running."),
    (paused, ("cancel",), "it would be cancelled."),
    (with_letters, ("failures", "redrive"), "1  keys of items, each to be tried again"),
]


@pytest.mark.parametrize(("given", "command", "says"), CASES, ids=lambda value: str(getattr(value, "__name__", value)))
def test_given_a_dry_run_then_it_says_what_would_be_and_nothing_is_written(
    run: Run,
    world: Migration,
    given: Callable[[Migration], None],
    command: tuple[str, ...],
    says: str,
) -> None:
    given(world)
    before = everything(world)

    for_people, for_programs = run(*command, "--dry-run"), run(*command, "--dry-run", "--json")

    assert (for_people.exit_code, for_programs.exit_code) == (0, 0), for_people.output
    assert everything(world) == before
    assert says in printed(for_people)
    assert "Dry run: nothing was changed." in printed(for_people)
    assert json.loads(printed(for_programs))["dryRun"] is True


def test_given_a_letter_when_its_discard_is_tried_then_it_stays(run: Run, world: Migration) -> None:
    with_letters(world)
    (letter,) = world.letters()
    before = everything(world)

    result = run("failures", "discard", letter["id"], "--reason", "of no use", "--dry-run")
    missing = run("failures", "discard", "another", "--reason", "of no use", "--dry-run")

    assert (result.exit_code, missing.exit_code) == (0, 5), result.output
    assert f"{letter['id']} would be discarded: item, unknown-form." in printed(result)
    assert everything(world) == before


@pytest.mark.parametrize(
    ("given", "command"),
    [
        (on, ("decrypt",)),
        (off, ("migrate",)),
        (off, ("re-encrypt",)),
        (running, ("migrate",)),
        (running, ("decrypt",)),
    ],
    ids=lambda value: str(getattr(value, "__name__", value)),
)
def test_given_a_command_that_would_be_refused_when_tried_then_it_is_refused_in_the_same_words(
    run: Run, world: Migration, given: Callable[[Migration], None], command: tuple[str, ...]
) -> None:
    given(world)
    before = everything(world)

    tried = run(*command, "--dry-run")
    assert everything(world) == before
    done = run(*command)

    assert (tried.exit_code, tried.stderr) == (done.exit_code, done.stderr)
    assert tried.exit_code == 4


@pytest.mark.parametrize(
    ("given", "goal", "fields"),
    [
        (on, "encrypt", {}),
        (off, "decrypt", {}),
        (on, "re-encrypt", {"olderThanDays": 0}),
        (on_for_a_part, "encrypt", {}),
    ],
    ids=lambda value: str(getattr(value, "__name__", value)),
)
def test_given_a_dry_run_of_a_sweep_when_the_sweep_is_done_then_the_counts_are_the_same(
    world: Migration, given: Callable[[Migration], None], goal: str, fields: dict[str, Any]
) -> None:
    given(world)

    tried = world.command("dry-run", of="start", goal=goal, **fields)
    done = world.run(goal, **fields)

    counted = {name: number for name, number in done["counts"].items() if number and name != "withoutLetter"}
    assert {name: number for name, number in tried["counts"].items() if number} == counted
    assert (tried["scanned"], tried["cursor"]) == (done["scanned"], None)


def test_given_a_table_of_many_pages_when_tried_then_each_answer_goes_on_where_the_last_one_ended(
    world: Migration, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(25):
        world.plain(f"s{number}", number)
    monkeypatch.setattr(dry_run, "SECONDS", 0.0)
    monkeypatch.setattr(dry_run, "_PAGE", 10)

    answers: list[dict[str, Any]] = []
    cursor = None
    while not answers or cursor is not None:
        answers.append(world.command("dry-run", of="start", goal="encrypt", cursor=cursor))
        cursor = answers[-1]["cursor"]

    assert [answer["scanned"] for answer in answers[:3]] == [10, 10, 5]
    assert sum(answer["counts"].get("encrypted", 0) for answer in answers) == 25


def test_given_many_pages_when_the_command_counts_then_it_adds_them_up(
    run: Run, world: Migration, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(25):
        world.plain(f"s{number}", number)
    monkeypatch.setattr(dry_run, "SECONDS", 0.0)
    monkeypatch.setattr(dry_run, "_PAGE", 10)

    result = run("migrate", "--dry-run")

    assert "25  would be encrypted" in printed(result)
    assert "10 items looked at." in result.stderr


@pytest.mark.parametrize("rate", [1.0, 0.5, 0.05, 0.0001])
def test_given_a_rate_when_answer_follows_answer_then_it_is_kept_and_no_answer_outlasts_its_invocation(
    world: Migration, rate: float
) -> None:
    for number in range(35):
        world.put(f"s{number}")
    clock = Clock()
    cursor, scanned = None, 0
    for _ in range(5):
        ends = clock.now + 300
        dry = dry_run.DryRun(world.parts, lambda ends=ends: ends - clock.now, clock.sleep, lambda: clock.now)
        looked = dry.start(requests.start({"goal": "encrypt", "rate": rate}), cursor)
        assert clock.now < ends
        cursor, scanned = looked.cursor, scanned + looked.scanned
        if cursor is None:
            break

    # Nobody waits after the last page, which has ten seconds' worth at most.
    last_page = max(1, rate * 10) if cursor is None else 0
    assert scanned - last_page <= max(rate, 1 / 255) * clock.now


def test_given_a_provisioned_table_when_tried_then_no_more_than_half_of_its_capacity_is_read(world: Migration) -> None:
    world.provision(read=10, write=10)
    for number in range(35):
        world.put(f"s{number}")
    clock, taken = Clock(), list[float]()

    def large(parsed_response: dict[str, Any], **_: Any) -> None:
        parsed_response["ConsumedCapacity"] = {"CapacityUnits": 20.0}  # Five items of 16 KB each.
        taken.append(20.0)

    world.clients.dynamodb.meta.events.register_first("response-received.dynamodb.Scan", large)
    dry = dry_run.DryRun(world.parts, lambda: 300 - clock.now, clock.sleep, lambda: clock.now)

    looked = dry.start(requests.start({"goal": "encrypt"}), None)

    assert (looked.scanned, sum(taken), clock.now) == (25, 100.0, 20.0)
    looked = dry.start(requests.start({"goal": "encrypt"}), looked.cursor)
    assert (looked.scanned, looked.cursor) == (10, None)


@pytest.mark.parametrize(("days", "encrypted"), [(0, 10), (1, 0)])
def test_given_an_age_when_tried_then_what_is_younger_stays(world: Migration, days: int, encrypted: int) -> None:
    filled(world)
    world.run("encrypt")
    world.passed += timedelta(hours=1)

    counts = world.command("dry-run", of="start", goal="re-encrypt", olderThanDays=days)["counts"]

    assert counts.get("encrypted", 0) == encrypted


def test_given_a_rate_when_tried_then_it_is_what_is_told(world: Migration) -> None:
    filled(world)
    sweep_id = world.start("encrypt", rate=5)
    assert world.command("dry-run", of="set-rate", sweep=sweep_id, rate=12.5)["rate"] == 12.5
    assert world.command("dry-run", of="set-rate", sweep=sweep_id, rate="auto")["rate"] is None
    assert world.sweep(sweep_id)["rate"] == 5


def test_given_sweeps_when_a_change_is_tried_then_those_that_it_would_stop_are_named_and_no_others(
    world: Migration,
) -> None:
    filled(world)  # With a sweep that is done.
    verification = world.start("verify")
    change = {"command": "dry-run", "of": "set-config", "version": 0, "confirm": "switch-off"}

    def stops(enabled: bool) -> Any:
        return world.command(**change, enabled=enabled)["stops"]

    assert (stops(enabled=False), stops(enabled=True)) == ([], [])
    world.command("cancel", sweep=verification)
    sweep_id = world.start("encrypt")
    assert (stops(enabled=False), stops(enabled=True)) == ([sweep_id], [])
    world.command("pause", sweep=sweep_id)
    assert stops(enabled=False) == [sweep_id]


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.25, 3])
def test_given_a_rate_when_pages_are_read_then_each_has_ten_seconds_worth(world: Migration, rate: float) -> None:
    for number in range(35):
        world.put(f"s{number}")
    clock, limits = Clock(), list[int]()
    world.clients.dynamodb.meta.events.register(
        "before-parameter-build.dynamodb.Scan", lambda params, **_: limits.append(params["Limit"])
    )
    dry = dry_run.DryRun(world.parts, lambda: 300 - clock.now, clock.sleep, lambda: clock.now)

    dry.start(requests.start({"goal": "encrypt", "rate": rate}), None)

    assert set(limits) == {max(1, int(rate * 10))}


def test_given_another_sweep_that_runs_when_a_paused_one_is_to_be_resumed_then_a_try_is_refused_as_it_would_be(
    world: Migration,
) -> None:
    filled(world)
    sweep_id = world.start("encrypt")
    world.command("pause", sweep=sweep_id)
    world.start("verify")

    refused = [
        world.command("dry-run", of="resume", sweep=sweep_id)["error"],
        world.command("resume", sweep=sweep_id)["error"],
    ]

    assert refused[0]["code"] == refused[1]["code"] == "conflict"


@pytest.mark.parametrize("command", ["pause", "resume", "cancel"])
def test_given_a_sweep_that_has_ended_when_tried_then_it_is_refused_as_it_would_be(
    world: Migration, command: str
) -> None:
    sweep_id = world.run("encrypt")["id"]
    tried = world.command("dry-run", of=command, sweep=sweep_id)
    assert tried["error"]["code"] == world.command(command, sweep=sweep_id)["error"]["code"] == "stopped"


@pytest.mark.parametrize("cursor", [{}, "s", {"sessionId": {"BOOL": True}}])
def test_given_a_cursor_that_is_none_then_it_is_refused(world: Migration, cursor: Any) -> None:
    on(world)

    assert world.command("dry-run", of="start", goal="encrypt", cursor=cursor)["error"]["field"] == "cursor"


def test_given_a_throttled_scan_when_tried_then_it_is_read_again(world: Migration) -> None:
    on(world)

    with failing(world.clients.dynamodb, "dynamodb.Scan", "ThrottlingException", times=2):
        assert world.command("dry-run", of="start", goal="encrypt")["scanned"] == 11


def test_given_another_version_when_a_change_is_tried_then_it_is_a_conflict(world: Migration) -> None:
    answer = world.command("dry-run", of="set-config", enabled=True, version=3)

    assert answer["error"]["code"] == "conflict"


def test_commands_that_change_something_all_have_a_dry_run() -> None:
    changing = set(recorded._ASKED) - {"decrypt-item"}  # That one shows an item, and is kept for that.
    # Of branch keys, `branch-keys` and `look-at-tenant` tell: commands of their own, which change nothing.
    changing -= {"make-branch-key", "rotate-branch-key", "shred-tenant"}

    assert set(requests.DRY_RUNS) == changing


def test_commands_of_an_operator_all_that_act_have_the_option() -> None:
    def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
        for info in group.registered_commands:
            yield f"{path}{info.name}", info
        for sub in group.registered_groups:
            yield from commands(sub.typer_instance, f"{sub.typer_instance.info.name or sub.name} ")

    with_option = {path for path, info in commands(app) if "dry_run" in inspect.signature(info.callback).parameters}

    assert {path.split()[-1] for path in with_option} == {
        "migrate", "decrypt", "re-encrypt", "pause", "resume", "cancel", "set-rate", "on", "off", "redrive", "discard",
        "make", "rotate", "shred",
    }  # fmt: skip
