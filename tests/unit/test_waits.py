from typing import Any

from encryptor_runtime.waits import seconds_waited


def record(sent: int | None) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": "7"}
    return {"body": "{}", "attributes": attributes if sent is None else {**attributes, "SentTimestamp": str(sent)}}


def test_messages_when_received_then_each_tells_how_long_ago_it_was_first_sent() -> None:
    event = {"Records": [record(1_000_000), record(940_500)]}

    assert list(seconds_waited(event, 1000.0)) == [0.0, 59.5]


def test_message_when_it_was_sent_by_a_clock_that_is_ahead_then_it_has_not_waited() -> None:
    assert list(seconds_waited({"Records": [record(1_000_900)]}, 1000.0)) == [0.0]


def test_message_when_nobody_says_when_it_was_sent_then_left_out() -> None:
    assert list(seconds_waited({"Records": [record(None), {"body": "{}"}]}, 1000.0)) == []
