"""How far a sweep is, how fast, and what is drawn of it."""

import io
import re

import pytest
from rich.console import Console

from dynamodb_stream_encryptor.errors import Unreachable
from dynamodb_stream_encryptor.output import Output
from dynamodb_stream_encryptor.pace import Pace
from dynamodb_stream_encryptor.progress import duration, progress, progress_line, segment_fraction
from dynamodb_stream_encryptor.progress_views import Lines, drawing
from dynamodb_stream_encryptor.sweep import Segment, read_sweep
from tests.fake_control import sweep


def running(**fields):
    return read_sweep(sweep(**{"goal": "encrypt", "state": "running", "finishedAt": None, "segmentsDone": 1, **fields}))


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(
    ("fields", "per_cent", "left"),
    [
        ({"scanned": 175, "estimatedItems": 700, "itemsPerSecond": 50.0}, 25, 10.5),
        ({"scanned": 0, "estimatedItems": 700, "itemsPerSecond": 0.0}, 0, None),
        ({"scanned": 900, "estimatedItems": 700, "itemsPerSecond": 50.0}, 99, 0.0),
        ({"scanned": 175, "estimatedItems": 0, "itemsPerSecond": 50.0}, 25, None),
        ({"scanned": 175, "estimatedItems": None, "itemsPerSecond": None}, 25, None),
        ({"scanned": 0, "estimatedItems": None, "segments": 0}, 0, None),
        ({"scanned": 350, "estimatedItems": 700, "itemsPerSecond": 50.0, "state": "paused"}, 50, None),
        ({"scanned": 10, "estimatedItems": 700, "state": "done"}, 100, 0.0),
    ],
    ids=["items", "just begun", "more than estimated", "unknown: by segments", "nothing known", "no segments", "paused",
         "done"],
)  # fmt: skip
def test_progress(fields, per_cent, left):
    now = progress(running(**fields))
    assert (now.per_cent, now.seconds_left) == (per_cent, left)


def test_a_segment_counts_as_its_share_of_the_table():
    one = running(estimatedItems=400, segments=4)
    assert segment_fraction(Segment(0, "waiting", 1, 50), one) == 0.5
    assert segment_fraction(Segment(0, "waiting", 1, 500), one) < 1
    assert segment_fraction(Segment(0, "done", 1, 5), one) == 1
    assert segment_fraction(Segment(0, "waiting", 1, 5), running(estimatedItems=0)) == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (0.4, "0 s"), (59.6, "1 min 00 s"), (61, "1 min 01 s"), (7500, "2 h 05 min"), (1e6, "277 h 46 min")],
)
def test_duration(seconds, words):
    assert duration(seconds) == words


def test_a_line():
    line = progress_line(running(scanned=1400, estimatedItems=7000, itemsPerSecond=100.0))
    assert line == "encrypt sweep-1:  20 %, 1,400 of about 7,000 items, 100 items/s, 56 s left, 1 of 4 segments"


def test_the_pace_is_that_of_the_last_half_minute_and_not_the_average():
    clock = Clock()
    pace = Pace(clock)
    assert pace.applied(running(scanned=0, itemsPerSecond=3.0)).items_per_second == 3.0
    for second in range(1, 61):
        clock.now = float(second)
        scanned = 100 * second if second <= 30 else 3000 + 10 * (second - 30)
        last = pace.applied(running(scanned=scanned, itemsPerSecond=3.0))
    assert last.items_per_second == pytest.approx(10)


def test_a_standstill_lasts_until_something_is_scanned():
    clock = Clock()
    pace = Pace(clock)
    seconds = []
    for now, scanned in [(0, 0), (50, 0), (70, 5), (130, 5)]:
        clock.now = float(now)
        seconds.append(pace.standstill(running(scanned=scanned)))
    assert seconds == [0, 50, 0, 60]


def test_the_pace_of_an_ended_sweep_is_its_average():
    clock = Clock()
    pace = Pace(clock)
    pace.applied(running(scanned=0))
    clock.now = 1.0
    assert pace.applied(running(scanned=500, state="done", itemsPerSecond=7.0)).items_per_second == 7.0


def test_plain_lines_come_at_once_for_a_new_state_and_every_few_seconds_for_new_numbers(capsys):
    clock = Clock()
    lines = Lines(Output(), clock)
    for now, fields in [
        (0, {"scanned": 100}),
        (1, {"scanned": 200}),
        (6, {"scanned": 300}),
        (20, {"scanned": 300}),
        (21, {"scanned": 310, "state": "paused"}),
    ]:
        clock.now = now
        lines.show(running(**fields), {})
    written = capsys.readouterr()
    assert re.findall(r"(\d+) of about", written.err) == ["100", "300", "310"]
    assert written.out == ""


def drawn(one, rows=10):
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    console.print(drawing(one, rows))
    return console.file.getvalue()


def test_the_drawing_shows_the_whole_and_each_segment():
    details = [{"segment": number, "state": "waiting", "pages": number, "scanned": 10 * number} for number in range(4)]
    shown = drawn(
        running(scanned=60, itemsPerSecond=6.0, segmentsDetail=details, counts={"encrypted": 55, "failed": 0})
    )
    for words in (
        "8 %",
        "60 of about 700 items",
        "6.0 items/s",
        "1 min 47 s left",
        "encrypted 55",
        "segment 3",
        "30 items",
    ):
        assert words in shown
    assert "failed" not in shown


def test_of_many_segments_those_at_work_are_shown():
    details = [
        {"segment": number, "state": "waiting" if number in (700, 900) else "done", "pages": 1, "scanned": 1}
        for number in range(1000)
    ]
    shown = drawn(running(segments=1000, segmentsDetail=details), rows=4)
    assert re.findall(r"segment (\d+)", shown) == ["0", "1", "700", "900"]
    assert "and 996 more segments" in shown


@pytest.mark.parametrize("document", [None, {}, [], sweep(counts=5), sweep(segmentsDetail=[{}]), sweep(startedAt="x")])
def test_a_sweep_in_an_unknown_shape_is_an_error(document):
    with pytest.raises(Unreachable, match="unknown shape"):
        read_sweep(document)
