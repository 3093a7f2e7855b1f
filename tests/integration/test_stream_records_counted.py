"""How many records of a batch had nothing to do, and how much time a batch keeps back."""

from collections.abc import Iterator
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

from stream_encryptor import handler
from stream_encryptor.application import encryptor
from tests.factories import metrics
from tests.integration.test_stream_encryptor import World, deliver, history
from tests.records import event_of
from tests.records import stream_record as record


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with mock_aws():
        yield World(monkeypatch)
    encryptor.cache_clear()
    boto3.setup_default_session()


def test_given_removals_when_delivered_then_each_is_counted_as_skipped(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deliver(*[record(f"s{number}", "REMOVE", sequence=number) for number in range(1, 4)]) == []

    assert metrics(capsys.readouterr().out)["ItemsSkipped"] == [3.0]
    assert not set(world.calls) & {"BatchGetItem", "GetItem", "UpdateItem"}


@pytest.mark.parametrize(("milliseconds", "is_begun"), [(15_000, False), (15_900, True)])
def test_given_little_time_when_delivered_then_a_key_is_begun_only_with_fifteen_seconds_to_spare(
    world: World, milliseconds: int, is_begun: bool
) -> None:
    world.put("s1", **history())
    clock = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: milliseconds)

    assert handler.lambda_handler(event_of(record("s1")), clock) == {"batchItemFailures": []}

    assert ("history" not in world.get("s1")) is is_begun
    assert len(world.messages(world.retry_queue)) == (0 if is_begun else 1)
