"""Starts that fail half-way, switching on whatever happens, and the lock between sweeps."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends

from encryptor_runtime.clients import longest_call
from encryptor_runtime.messages import SegmentWork
from encryptor_runtime.switch_and_sweep import settled_after
from item_crypto.errors import TransientError
from migrator import sweep as sweep_function
from migrator.segments import MAX_HOPS
from tests.migration import CONTROL, Crash, Migration, context
from tests.records import bodies, received


def crash() -> None:
    raise Crash


def half_started(world: Migration, goal: str = "encrypt", segments: int = 2, **fields: Any) -> str:
    """Have a start crash after the sweep is stored, and before its segments are queued; return the sweep's id."""
    world.interrupt("before", "sqs.SendMessageBatch", crash)
    with pytest.raises(Crash):
        world.command("start", goal=goal, segments=segments, **fields)
    assert bodies(world.work) == []
    (sweep,) = sweeps(world)
    assert sweep["state"] == "running"
    return str(sweep["id"])


def sweeps(world: Migration) -> list[dict[str, Any]]:
    return list(world.command("status")["sweeps"])


def lose_messages() -> None:
    """Lose the messages of the work queue, delayed ones too; PurgeQueue may be called once a minute only."""
    sqs_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"].queues["work"]._messages.clear()


def lock(world: Migration) -> str | None:
    key = {"id": {"S": "lock"}, "part": {"S": "sweep"}}
    item = world.dynamodb.get_item(TableName=CONTROL, Key=key, ConsistentRead=True).get("Item")
    return None if item is None else str(item["sweep"]["S"])


# A start that failed half-way


def test_given_a_half_start_when_the_schedule_starts_it_again_then_that_sweep_runs(world: Migration) -> None:
    world.plain("s1")
    sweep_id = half_started(world, by="schedule")

    assert world.start("encrypt") == sweep_id
    world.pump()

    assert world.sweep(sweep_id)["state"] == "done"
    assert "history" not in world.get("s1")


@pytest.mark.parametrize(
    ("began", "asked"),
    [
        pytest.param({"goal": "encrypt"}, {"goal": "verify"}, id="another goal"),
        pytest.param({"goal": "verify"}, {"goal": "verify", "deep": True}, id="a deeper look"),
        pytest.param(
            {"goal": "re-encrypt", "olderThanDays": 30}, {"goal": "re-encrypt", "olderThanDays": 7}, id="another age"
        ),
    ],
)
def test_given_a_half_start_when_something_else_is_started_then_it_is_refused_and_the_first_one_runs(
    world: Migration, began: dict[str, Any], asked: dict[str, Any]
) -> None:
    sweep_id = half_started(world, **began)

    assert world.command("start", **asked)["error"]["code"] == "conflict"
    world.pump()

    assert world.sweep(sweep_id)["state"] == "done"
    assert "error" not in world.command("start", **asked)


def test_given_a_half_start_of_an_age_when_it_comes_again_later_then_it_is_the_same(world: Migration) -> None:
    sweep_id = half_started(world, goal="re-encrypt", olderThanDays=30)
    world.passed += timedelta(minutes=5)

    assert world.start("re-encrypt", olderThanDays=30) == sweep_id


def test_given_a_half_start_when_another_is_forced_then_both_run(world: Migration) -> None:
    first = half_started(world)

    second = world.start("verify", force=True)
    world.pump()

    assert [world.sweep(sweep_id)["state"] for sweep_id in (first, second)] == ["done", "done"]


def test_given_a_half_start_when_it_is_resumed_without_its_name_then_it_runs(world: Migration) -> None:
    sweep_id = half_started(world)

    assert world.command("resume")["sweep"]["id"] == sweep_id
    world.pump()

    assert world.sweep(sweep_id)["state"] == "done"


def test_given_a_half_start_when_the_setting_changed_meanwhile_then_it_is_in_nobodys_way(world: Migration) -> None:
    sweep_id = half_started(world)
    world.switch(False, 0)

    world.start("decrypt")

    assert (world.sweep(sweep_id)["state"], world.sweep(sweep_id)["reason"]) == ("stopped", "setting-changed")


def test_given_a_crash_amid_a_resume_when_something_is_started_then_the_resumed_one_runs(world: Migration) -> None:
    sweep_id = world.start("encrypt", segments=1)
    world.command("pause", sweep=sweep_id)
    world.pump()
    world.interrupt("before", "sqs.SendMessageBatch", crash)
    with pytest.raises(Crash):
        world.command("resume", sweep=sweep_id)

    assert world.command("start", goal="verify")["error"]["code"] == "conflict"
    world.pump()

    assert world.sweep(sweep_id)["state"] == "done"


def test_given_a_sweep_that_is_queued_when_another_start_is_refused_then_it_is_not_queued_twice(
    world: Migration,
) -> None:
    world.start("encrypt", segments=2)

    assert world.command("start", goal="encrypt", segments=2)["error"]["code"] == "conflict"

    assert len(bodies(world.work)) == 2


def test_given_a_sweep_that_cannot_be_stored_when_started_then_no_segment_is_queued(world: Migration) -> None:
    world.interrupt("before", "dynamodb.TransactWriteItems", crash)

    with pytest.raises(Crash):
        world.command("start", goal="encrypt")

    assert (bodies(world.work), sweeps(world)) == ([], [])


# Bare resume


def test_given_all_segments_done_and_a_crash_before_the_end_when_resumed_then_it_ends(world: Migration) -> None:
    world.plain("s1")
    sweep_id = world.start("encrypt", segments=1)

    def is_the_end(parameters: Mapping[str, Any]) -> bool:
        return any("Delete" in step for step in parameters["TransactItems"])

    world.interrupt("before", "dynamodb.TransactWriteItems", crash, when=is_the_end)
    with pytest.raises(Crash):
        world.pump()
    lose_messages()

    assert "error" not in world.command("resume", sweep=sweep_id)

    assert (world.sweep(sweep_id)["state"], lock(world), bodies(world.work)) == ("done", None, [])


def test_given_no_sweep_or_more_than_one_when_resumed_without_a_name_then_it_is_refused(world: Migration) -> None:
    assert world.command("resume")["error"]["code"] == "not-found"
    world.start("encrypt", segments=1)
    world.start("verify", segments=1, force=True)

    assert world.command("resume")["error"]["code"] == "ambiguous"


def test_given_a_paused_one_beside_one_that_runs_when_resumed_without_a_name_then_the_paused_one_is_meant(
    world: Migration,
) -> None:
    paused = world.start("verify", segments=1)
    world.command("pause", sweep=paused)
    running = world.start("encrypt", segments=1)
    error = world.command("resume")["error"]
    assert (error["code"], error["sweep"]) == ("conflict", running), "that one cannot run beside the other"
    world.command("cancel", sweep=running)

    assert world.command("resume")["sweep"] | {"id": paused, "state": "running"} == world.command("resume")["sweep"]


# Switched on means swept


def off_with_plaintext(world: Migration) -> None:
    world.command("set-config", enabled=False, version=0, confirm="switch-off")
    world.plain("s1")


def arrive(world: Migration) -> None:
    """Have all messages arrive that are held back, and the sweeps worked off."""
    world.passed += timedelta(hours=1)
    messages = bodies(world.work)
    lose_messages()
    for message in messages:
        world.deliver_now(message)
    world.pump()


@pytest.mark.parametrize(
    ("moment", "operation", "at"),
    [
        pytest.param("after", "dynamodb.TransactWriteItems", 1, id="after the change"),
        pytest.param("before", "sqs.SendMessage", 2, id="before the second message"),
        pytest.param("after", "sqs.SendMessage", 2, id="after the second message"),
    ],
)
def test_given_a_crash_after_the_change_when_the_messages_arrive_then_all_is_swept(
    world: Migration, moment: Any, operation: str, at: int
) -> None:
    off_with_plaintext(world)
    calls: list[None] = []

    def at_the_last() -> None:
        calls.append(None)
        if len(calls) == at:
            crash()

    stop = world.interrupt(moment, operation, at_the_last, times=at)
    with pytest.raises(Crash):
        world.command("set-config", enabled=True, version=1)
    stop()

    arrive(world)

    assert "history" not in world.get("s1")
    assert len(sweeps(world)) == 1


@pytest.mark.parametrize("operation", ["sqs.SendMessage", "dynamodb.TransactWriteItems"])
def test_given_a_crash_before_the_change_when_it_is_repeated_then_all_is_swept_once(
    world: Migration, operation: str
) -> None:
    off_with_plaintext(world)
    world.interrupt("before", operation, crash)
    with pytest.raises(Crash):
        world.command("set-config", enabled=True, version=1)
    assert world.command("config")["setting"]["enabled"] is False

    world.command("set-config", enabled=True, version=1)
    arrive(world)

    assert "history" not in world.get("s1")
    assert len(sweeps(world)) == 1


def test_given_a_second_message_that_cannot_be_sent_when_switched_on_then_the_first_one_does(world: Migration) -> None:
    off_with_plaintext(world)
    calls: list[None] = []

    def fail(**_: Any) -> Any:
        calls.append(None)
        answer = {"Error": {"Code": "ServiceUnavailable", "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 503}}
        return (AWSResponse("", 503, {}, None), answer) if len(calls) > 1 else None  # type: ignore[arg-type]

    world.parts.runtime.clients.sqs.meta.events.register("before-call.sqs.SendMessage", fail)

    assert world.command("set-config", enabled=True, version=1)["setting"]["enabled"] is True
    world.set()
    arrive(world)

    assert "history" not in world.get("s1")


def test_given_a_message_whose_change_never_came_to_be_when_it_arrives_then_it_is_dropped(world: Migration) -> None:
    off_with_plaintext(world)
    for version in (1, 2):
        world.deliver_now({"kind": "start", "goal": "encrypt", "by": "operator", "settingVersion": version})

    assert sweeps(world) == []


def test_given_on_and_off_and_on_again_when_the_messages_arrive_then_one_sweep_follows(world: Migration) -> None:
    off_with_plaintext(world)
    world.switch(True, 1)
    world.switch(False, 2)
    world.switch(True, 3)

    arrive(world)

    (sweep,) = sweeps(world)
    assert (sweep["settingVersion"], sweep["state"]) == (4, "done")
    assert "history" not in world.get("s1")


def switched_on(world: Migration) -> dict[str, Any]:
    """Switch on, with the sweep started by the message for now; return the message that is held back for later."""
    off_with_plaintext(world)
    world.switch(True, 1)
    later, now = bodies(world.work)
    lose_messages()
    world.deliver_now(now)
    return dict(later)


@pytest.mark.parametrize("state", ["running", "paused", "cancelled", "done"])
def test_given_the_sweep_is_there_when_the_message_for_later_arrives_then_it_changes_nothing(
    world: Migration, state: str
) -> None:
    later = switched_on(world)
    bring_to(world, state)
    waiting = bodies(world.work)

    world.deliver_now(later)

    assert [sweep["state"] for sweep in sweeps(world)] == [state]
    assert bodies(world.work) == waiting


@pytest.mark.parametrize(
    ("state", "after"),
    [
        ("lost", ["done"]),
        ("running", ["done"]),
        ("paused", ["done"]),
        ("cancelled", ["cancelled", "done"]),
        ("done", ["done"]),
    ],
)
def test_given_any_end_of_the_sweep_when_switching_on_is_repeated_then_all_is_swept_in_the_end(
    world: Migration, state: str, after: list[str]
) -> None:
    if state == "lost":
        off_with_plaintext(world)
        world.switch(True, 1)
    else:
        switched_on(world)
        bring_to(world, state)
    lose_messages()

    answer = world.command("set-config", enabled=True, version=2)
    arrive(world)

    assert answer["setting"]["version"] == 2
    assert sorted(sweep["state"] for sweep in sweeps(world)) == after
    assert "history" not in world.get("s1")


def bring_to(world: Migration, state: str) -> None:
    match state:
        case "paused" | "cancelled":
            (sweep,) = sweeps(world)
            world.command({"paused": "pause", "cancelled": "cancel"}[state], sweep=sweep["id"])
        case "done":
            world.pump()


def test_given_on_as_deployed_when_switching_on_is_repeated_then_a_sweep_follows_each_time(world: Migration) -> None:
    """At version 0 a deployment may have switched off and on in between: what a sweep did before proves nothing."""
    for number in (1, 2):
        world.plain("s1")
        world.command("set-config", enabled=True, version=0)
        arrive(world)
        assert len(sweeps(world)) == number
    assert "history" not in world.get("s1")


# Switching on while another sweep runs


def test_given_a_verification_that_runs_when_switched_on_then_the_sweep_runs_beside_it(world: Migration) -> None:
    off_with_plaintext(world)
    verifying = world.start("verify", segments=1)
    world.switch(True, 1)

    arrive(world)

    assert {sweep["goal"]: sweep["state"] for sweep in sweeps(world)} == {"verify": "done", "encrypt": "done"}
    assert world.sweep(verifying)["state"] == "done"
    assert (lock(world), "history" in world.get("s1")) == (None, False)


def test_given_a_decryption_that_runs_when_switched_on_then_it_is_stopped_and_the_sweep_runs(world: Migration) -> None:
    off_with_plaintext(world)
    decrypting = world.start("decrypt", segments=1)
    lose_messages()
    world.switch(True, 1)

    arrive(world)

    assert world.sweep(decrypting)["state"] == "stopped"
    assert (lock(world), "history" in world.get("s1")) == (None, False)


def test_given_a_re_encryption_of_this_setting_when_the_message_arrives_then_the_sweep_runs_beside_it(
    world: Migration,
) -> None:
    off_with_plaintext(world)
    world.switch(True, 1)
    world.start("re-encrypt", segments=1)

    arrive(world)

    assert {sweep["goal"]: sweep["state"] for sweep in sweeps(world)} == {"re-encrypt": "done", "encrypt": "done"}


def test_given_an_operators_sweep_of_this_setting_when_the_messages_arrive_then_it_does(world: Migration) -> None:
    off_with_plaintext(world)
    world.switch(True, 1)
    sweep_id = world.start("encrypt", segments=1)

    arrive(world)

    assert [sweep["id"] for sweep in sweeps(world)] == [sweep_id]


# A deployment that changes EncryptionEnabled


@pytest.mark.parametrize("state", ["running", "paused"])
def test_given_a_deployment_that_switches_off_at_version_0_when_a_page_is_due_then_the_sweep_stops(
    world: Migration, state: str
) -> None:
    world.plain("s1")
    sweep_id = world.start("encrypt", segments=1)
    if state == "paused":
        world.command("pause", sweep=sweep_id)
    world.set(SESSION_ENCRYPTION_ENABLED="false")

    if state == "paused":
        assert world.command("resume", sweep=sweep_id)["error"]["code"] == "forbidden-by-setting"
    else:
        world.pump()
        assert (world.sweep(sweep_id)["state"], world.sweep(sweep_id)["reason"]) == ("stopped", "setting-changed")
    assert "history" in world.get("s1")
    assert "error" not in world.command("start", goal="decrypt")


# The lock, and states


def ends(state: str, sweep_id: str) -> Callable[[Mapping[str, Any]], bool]:
    """Return what tells the transaction that brings a sweep into a state."""

    def tells(parameters: Mapping[str, Any]) -> bool:
        first = parameters["TransactItems"][0].get("Update", {})
        values = first.get("ExpressionAttributeValues", {})
        return bool(first.get("Key", {}).get("id") == {"S": f"sweep#{sweep_id}"} and values.get(":new") == {"S": state})

    return tells


def test_given_a_start_amid_a_resume_when_resumed_then_the_other_one_keeps_the_lock(world: Migration) -> None:
    paused = world.start("encrypt", segments=1)
    world.command("pause", sweep=paused)
    started: list[str] = []
    world.interrupt(
        "before",
        "dynamodb.TransactWriteItems",
        lambda: started.append(world.start("verify")),
        when=ends("running", paused),
    )

    assert world.command("resume", sweep=paused)["error"]["code"] == "conflict"

    assert [lock(world)] == started
    assert world.sweep(paused)["state"] == "paused"


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_given_a_forced_start_amid_a_change_when_it_is_made_then_the_other_one_keeps_the_lock(
    world: Migration, verb: str
) -> None:
    first = world.start("encrypt", segments=1)
    state = {"pause": "paused", "cancel": "cancelled"}[verb]
    forced: list[str] = []
    world.interrupt(
        "before",
        "dynamodb.TransactWriteItems",
        lambda: forced.append(world.start("verify", force=True)),
        when=ends(state, first),
    )

    assert world.command(verb, sweep=first)["sweep"]["state"] == state

    assert [lock(world)] == forced
    assert world.command("start", goal="verify")["error"]["code"] == "conflict"


def test_given_a_forced_start_amid_the_last_page_when_the_sweep_ends_then_the_other_one_keeps_the_lock(
    world: Migration,
) -> None:
    first = world.start("encrypt", segments=1)
    forced: list[str] = []
    world.interrupt(
        "before",
        "dynamodb.TransactWriteItems",
        lambda: forced.append(world.start("verify", segments=1, force=True)),
        when=ends("done", first),
    )
    world.deliver(world.work, sweep_function.handle, 300)

    assert world.sweep(first)["state"] == "done"
    assert [lock(world)] == forced


@pytest.mark.parametrize("is_forced", [False, True], ids=["it has the lock", "another one has the lock"])
def test_given_a_cancel_amid_the_end_when_the_last_segment_is_done_then_it_stays_cancelled(
    world: Migration, is_forced: bool
) -> None:
    first = world.start("encrypt", segments=1)
    if is_forced:
        world.start("verify", segments=1, force=True)
    world.interrupt(
        "before", "dynamodb.TransactWriteItems", lambda: world.command("cancel", sweep=first), when=ends("done", first)
    )

    world.pump()

    assert world.sweep(first)["state"] == "cancelled"


def test_given_a_cancel_after_the_last_page_when_the_sweep_would_end_then_it_stays_cancelled(world: Migration) -> None:
    sweep_id = world.start("encrypt", segments=1)

    def is_last_page(parameters: Mapping[str, Any]) -> bool:
        return any(
            "segmentsDone" in step.get("Update", {}).get("UpdateExpression", "") for step in parameters["TransactItems"]
        )

    world.interrupt(
        "after", "dynamodb.TransactWriteItems", lambda: world.command("cancel", sweep=sweep_id), when=is_last_page
    )

    world.pump()

    assert world.sweep(sweep_id)["state"] == "cancelled"


def cancelled(world: Migration, *reasons: str) -> Callable[[], None]:
    """Have DynamoDB cancel the migrator's transactions for ``reasons``, one a step; return what ends that."""
    answer = {
        "Error": {"Code": "TransactionCanceledException", "Message": "Transaction cancelled, see the reasons"},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    name, events = "before-call.dynamodb.TransactWriteItems", world.parts.runtime.clients.dynamodb.meta.events

    def fail(**_: Any) -> Any:
        return AWSResponse("", 400, {}, None), answer  # type: ignore[arg-type]

    events.register(name, fail)
    return lambda: events.unregister(name, fail)


@pytest.mark.parametrize("reason", ["ThrottlingError", "TransactionConflict", "ProvisionedThroughputExceeded"])
class TestCancelledForDynamoDbsOwnReasons:
    """Nobody was first, and no condition failed: to say so would be untrue, and lose what was to be done."""

    def test_given_a_start_then_it_is_no_conflict(self, world: Migration, reason: str) -> None:
        cancelled(world, reason, "None", "None")

        with pytest.raises(TransientError):
            world.command("start", goal="encrypt")

    def test_given_a_change_of_state_then_it_is_not_in_another_state(self, world: Migration, reason: str) -> None:
        sweep_id = world.start("encrypt", segments=1)
        cancelled(world, reason, "None")

        with pytest.raises(TransientError):
            world.command("pause", sweep=sweep_id)

    def test_given_a_page_then_nobody_has_taken_it_over_and_its_message_comes_again(
        self, world: Migration, reason: str
    ) -> None:
        world.plain("s1")
        sweep_id = world.start("encrypt", segments=1)
        mend = cancelled(world, reason, "None")
        (message,) = bodies(world.work)

        answer = sweep_function.handle(received(json.dumps(message)), context(), world.parts)

        assert len(answer["batchItemFailures"]) == 1
        mend()
        world.pump()
        assert world.sweep(sweep_id)["state"] == "done"


def test_given_a_condition_that_fails_though_nothing_changed_when_paused_then_it_is_to_be_tried_again(
    world: Migration,
) -> None:
    """Somebody moved it and moved it back: to go on asking would never end."""
    sweep_id = world.start("encrypt", segments=1)
    mend = cancelled(world, "ConditionalCheckFailed", "None")

    with pytest.raises(TransientError):
        world.command("pause", sweep=sweep_id)

    mend()
    assert world.sweep(sweep_id)["state"] == "running"


def test_given_a_condition_among_the_reasons_when_started_then_it_is_a_conflict(world: Migration) -> None:
    cancelled(world, "ConditionalCheckFailed", "TransactionConflict", "None")

    assert world.command("start", goal="encrypt")["error"]["code"] == "conflict"


def test_given_all_that_is_done_with_sweeps_when_the_control_table_is_read_then_consistently(world: Migration) -> None:
    world.plain("s1")
    asked: list[tuple[str, Any]] = []
    for operation in ("GetItem", "Query"):

        def note(params: Any, operation: str = operation, **_: Any) -> None:
            if params["TableName"] == CONTROL:
                asked.append((operation, params.get("ConsistentRead")))

        world.parts.runtime.clients.dynamodb.meta.events.register(f"provide-client-params.dynamodb.{operation}", note)
    sweep_id = world.start("encrypt", segments=2)
    for command in ("pause", "resume", "sweep"):
        world.command(command, sweep=sweep_id)
    world.pump()
    for command in ("status", "config"):
        world.command(command)

    assert {operation for operation, _ in asked} == {"GetItem", "Query"}
    assert {consistent for _, consistent in asked} == {True}


# When a sweep begins after a change


CACHE = 60


def delays_of_messages(world: Migration, queue: str) -> list[int]:
    """Return the seconds that the migrator's messages to a queue are held back for, as they come."""
    delays: list[int] = []

    def note(params: Mapping[str, Any], **_: Any) -> None:
        if params["QueueUrl"] == queue:
            delays.append(params["DelaySeconds"])

    world.clients.sqs.meta.events.register("provide-client-params.sqs.SendMessage", note)
    return delays


@pytest.mark.parametrize(
    ("after", "begins"),
    [(CACHE + longest_call() + 0.5, False), (CACHE + longest_call() + 1.5, True)],
    ids=["within the second for clocks", "after it"],
)
def test_given_a_change_when_a_sweep_is_due_then_it_begins_when_nothing_can_be_written_by_the_old_setting(
    world: Migration, after: float, begins: bool
) -> None:
    world.plain("s1")
    world.set(SETTING_CACHE_SECONDS=str(CACHE))
    world.command("set-config", enabled=False, version=0, confirm="switch-off")
    started = datetime.fromisoformat(world.sweep(world.start("decrypt", segments=1))["startedAt"])
    delays = delays_of_messages(world, world.work)
    world.passed = started + timedelta(seconds=after) - datetime.now(UTC)

    world.deliver(world.work, sweep_function.handle, 300)

    assert (sweeps(world)[0]["state"] == "done") is begins
    assert [message["hop"] for message in bodies(world.work)] == ([] if begins else [1])
    assert delays == ([] if begins else [1])  # Queues wait for whole seconds: half of one would be none.


def test_given_a_change_that_took_long_when_a_sweep_is_due_then_it_waits_from_when_the_change_was_seen(
    world: Migration,
) -> None:
    """The time of a change is taken before it is made: up to its call's end, functions read the old setting."""
    world.set(SETTING_CACHE_SECONDS=str(CACHE))
    made = world.command("set-config", enabled=False, version=0, confirm="switch-off")["setting"]["changedAt"]
    world.passed = timedelta(seconds=longest_call() - 5)
    world.start("decrypt", segments=1)
    world.passed = datetime.fromisoformat(made) + timedelta(seconds=settled_after(CACHE) + 2) - datetime.now(UTC)

    world.deliver(world.work, sweep_function.handle, 300)

    assert [message["hop"] for message in bodies(world.work)] == [1]


def test_given_a_change_long_ago_when_a_sweep_is_started_then_it_begins_at_once(world: Migration) -> None:
    world.set(SETTING_CACHE_SECONDS=str(CACHE))
    world.switch(False, 0)

    assert world.run("decrypt", segments=1)["state"] == "done"


def test_given_listed_keys_when_switched_on_then_they_are_held_back_until_every_function_has_read_it(
    world: Migration,
) -> None:
    """One that has not would decrypt the item again, and nobody would come back to it."""
    off_with_plaintext(world)
    world.set(SETTING_CACHE_SECONDS=str(CACHE))
    listed = {"keys": [{"sessionId": {"S": "s1"}, "userId": {"S": "alice"}}]}
    world.command("set-config", enabled=True, version=1, part=listed)
    delays = delays_of_messages(world, world.deferred)

    world.deliver_now(bodies(world.work)[0])

    assert delays == [settled_after(CACHE) + 1]


# The sweep that follows switching on, and others


def sweep_that_follows(world: Migration) -> str:
    """Switch off and on again; return the id of the sweep that follows, which runs."""
    world.switch(False, 0)
    world.command("set-config", enabled=True, version=1)
    world.passed += timedelta(hours=1)
    world.deliver(world.work, sweep_function.handle, 300)
    (running,) = [sweep for sweep in sweeps(world) if sweep["goal"] == "encrypt"]
    assert running["state"] == "running"
    return str(running["id"])


def test_given_a_start_that_read_an_older_setting_when_it_meets_the_sweep_of_the_newer_one_then_that_goes_on(
    world: Migration,
) -> None:
    world.plain("s1")
    world.switch(False, 0)
    followed: list[Any] = []

    def switch_on() -> None:
        world.command("set-config", enabled=True, version=1)
        followed.append(world.deliver(world.work, sweep_function.handle, 300))

    world.interrupt("before", "dynamodb.DescribeTable", switch_on)  # The start has read the setting, and nothing else.
    world.command("start", goal="decrypt", segments=1)

    assert followed == [1]
    assert [sweep["state"] for sweep in sweeps(world) if sweep["goal"] == "encrypt"] == ["running"]


def test_given_a_sweep_that_was_stopped_when_switching_on_is_repeated_then_another_follows(world: Migration) -> None:
    world.plain("s1")
    sweep_id = sweep_that_follows(world)
    world.deliver_now(json.loads(SegmentWork(sweep_id, 0, MAX_HOPS).body()))
    assert world.sweep(sweep_id)["state"] == "stopped"

    world.command("set-config", enabled=True, version=2)
    world.pump()

    assert "history" not in world.get("s1")
