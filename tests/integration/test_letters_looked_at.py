"""How many dead letters are looked at, and that looking leaves each where it was."""

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from migrator.application import application
from tests.migration import TABLE, Migration
from tests.records import bodies

LETTERS = 25


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Migration]:
    with mock_aws():
        world = Migration(monkeypatch)
        for number in range(LETTERS):
            key = {"sessionId": {"S": f"s{number}"}, "userId": {"S": "alice"}}
            body = {"kind": "item", "table": TABLE, "key": key, "reason": "unknown-form", "attempts": 1}
            world.sqs.send_message(QueueUrl=world.failures, MessageBody=json.dumps(body))
        yield world
    application.cache_clear()
    boto3.setup_default_session()


def shown(world: Migration, most: int) -> list[str]:
    return [letter["id"] for letter in world.command("failures", max=most)["failures"]]


@pytest.mark.parametrize("most", [1, 10, 12, 25, 40])
def test_given_many_letters_when_some_are_listed_then_so_many_and_each_once(world: Migration, most: int) -> None:
    assert len(set(shown(world, most))) == len(shown(world, most)) == min(most, LETTERS)
    assert len(shown(world, 1000)) == LETTERS  # None stays hidden.


def test_given_many_letters_when_some_are_redriven_then_the_rest_is_left(world: Migration) -> None:
    answer = world.command("redrive", max=12)

    assert (answer["done"], answer["again"], answer["remaining"]) == (12, 0, LETTERS - 12)  # There is no such item.


def test_given_more_letters_than_are_looked_at_unasked_when_no_number_is_given_then_so_many_are(
    world: Migration,
) -> None:
    for number in range(101 - LETTERS):
        world.sqs.send_message(QueueUrl=world.failures, MessageBody=f"letter {number}")

    answer = world.command("failures")
    assert (len(answer["failures"]), answer["messages"]) == (50, 101)

    redriven = world.command("redrive")
    assert redriven["done"] + redriven["again"] == 100


def test_given_many_letters_when_the_last_one_is_discarded_then_it_is_found(world: Migration) -> None:
    last = shown(world, 1000)[-1]

    assert world.command("discard", id=last, reason="of no use") == {"discarded": True}

    assert last not in shown(world, 1000)
    assert len(bodies(world.failures)) == LETTERS - 1
    assert world.command("discard", id=last, reason="of no use")["error"]["code"] == "not-found"
