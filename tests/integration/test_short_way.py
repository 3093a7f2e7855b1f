"""The way of one key from a stream record to the conditional write, and of one GET: how long it is in our own code."""

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

import boto3
import pytest
from moto import mock_aws

from stream_encryptor.application import encryptor
from tests import factories
from tests.faults import ALWAYS
from tests.integration.test_stream_encryptor import World, deliver
from tests.records import stream_record as record

OURS: Final = tuple(str(Path(__file__).parents[2] / place) for place in ("layers", "functions"))
SESSION: Final = {
    "history": {"L": [{"M": {"type": {"S": "human"}, "content": {"S": "what is the tide in Porto?"}}}]},
    "configuration": {"M": {"model": {"S": "small"}, "temperature": {"N": "0.7"}}},
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with mock_aws():
        world = World(monkeypatch)
        world.put("warm", **SESSION)
        deliver(record("warm"))
        yield world
    encryptor.cache_clear()
    boto3.setup_default_session()


@pytest.fixture
def profiled() -> Iterator[Counter[str]]:
    """The calls of our functions in this thread and in those that begin from here on."""
    calls: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and is_ours(frame):
            calls[f"{Path(frame.f_code.co_filename).name}:{frame.f_code.co_name}"] += 1

    threading.setprofile(count)
    sys.setprofile(count)
    yield calls
    sys.setprofile(None)
    threading.setprofile(None)  # type: ignore[arg-type]  # as documented


def is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(OURS) and not frame.f_code.co_name.startswith("<")


def frames(frame: FrameType | None) -> list[str]:
    """Return the names of our functions on a stack, innermost first."""
    names = []
    while frame is not None:
        if is_ours(frame):
            names.append(frame.f_code.co_name)
        frame = frame.f_back
    return names


def test_key_when_it_goes_from_its_record_to_the_write_then_through_6_frames_of_ours_at_most(world: World) -> None:
    world.put("s1", **SESSION)
    seen: list[list[str]] = []

    def note() -> None:
        # The write takes place in a thread of the pool, for which the main thread waits.
        main = sys._current_frames()[threading.main_thread().ident]  # type: ignore[index]
        seen.append([*frames(sys._getframe()), *frames(main)])

    with world.faults.interrupting("dynamodb.UpdateItem", note, times=ALWAYS):
        deliver(record("s1"))

    (way,) = seen
    assert len(way) <= 6, way


def test_key_when_it_is_encrypted_then_it_takes_150_calls_of_ours_at_most(
    monkeypatch: pytest.MonkeyPatch, profiled: Counter[str]
) -> None:
    with mock_aws():
        world = World(monkeypatch)
        world.put("warm", **SESSION)
        deliver(record("warm"))
        world.put("s1", **SESSION)
        profiled.clear()

        deliver(record("s1"))
    calls = Counter(profiled)
    encryptor.cache_clear()
    boto3.setup_default_session()

    assert calls["plan.py:plan"] == 1  # The pool's thread was counted too.
    assert calls.total() <= 150, calls.most_common()


def test_session_when_it_is_read_through_the_api_then_it_takes_245_calls_of_ours_at_most(
    monkeypatch: pytest.MonkeyPatch, profiled: Counter[str]
) -> None:
    with mock_aws():
        world = factories.World(monkeypatch)
        world.store(factories.session("warm"))
        world.store(factories.session("s1"))
        assert [world.call("GET", name).status for name in ("warm", "s1", "warm")] == [200, 200, 200]
        profiled.clear()

        answer = world.call("GET", "s1")
    calls = Counter(profiled)

    assert answer.body["history"][0]["type"] == "human"
    assert calls["reconcile.py:access"] == 1
    assert calls.total() <= 245, calls.most_common()
