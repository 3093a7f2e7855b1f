"""`status` and `watch` of a sweep that makes no progress."""

from tests.fake_control import sweep
from tests.integration.test_cli import FAST, control, fake_aws, run  # noqa: F401 - fixtures


def test_status_tells_what_stands_still_and_what_helps(run, control):  # noqa: F811
    control.sweeps = {
        "a": sweep(id="a", state="running", finishedAt=None, minutesWithoutProgress=4),
        "b": sweep(id="b", state="paused", finishedAt=None, minutesWithoutProgress=None),
    }
    result = run("status")
    assert result.exit_code == 0, result.stderr
    assert "A sweep stands still: no progress for 4 min; `resume a`." in result.stdout
    assert result.stdout.count("stands still") == 1


def test_watch_tells_it_at_once_and_goes_on(run, control):  # noqa: F811
    control._start({"goal": "encrypt", "segments": 2})
    control.sweeps["sweep-1"]["minutesWithoutProgress"] = 4
    result = run("watch", *FAST)
    assert result.exit_code == 0, result.stderr
    assert "no progress for 4 min; `resume sweep-1`" in result.stderr
    assert result.stderr.count("makes no progress") == 1
    assert "`stream-encryptor resume sweep-1 --stack" in result.stderr


def test_watch_says_nothing_of_a_sweep_that_comes_forward(run, control):  # noqa: F811
    control._start({"goal": "encrypt", "segments": 2})
    assert "no progress" not in run("watch", *FAST).stderr
