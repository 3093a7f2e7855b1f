"""What the control function refuses, as whoever typed a command reads it: options by their names."""

import inspect
import re

import pytest

from dynamodb_stream_encryptor.errors import NotFound, Refused, UsageError
from dynamodb_stream_encryptor.refusals import OPTIONS, refusal
from migrator import requests

RUNNING = {"code": "conflict", "message": "Another sweep runs: S (encrypt, running).", "sweep": "S"}
DISABLED = {"code": "mapping-not-enabled", "message": "The mapping is Disabled: enable it first."}


def test_a_sweep_in_the_way_is_named_with_what_to_do():
    error = refusal(RUNNING, "start", "--local")
    assert isinstance(error, Refused)
    assert error.shown == (
        "Another sweep runs: S (encrypt, running). `stream-encryptor watch S --local` follows it, "
        "`stream-encryptor cancel S --local` ends it; --force starts beside it."
    )


def test_a_program_reads_the_answer_as_it_came():
    error = refusal(RUNNING, "start", "--local")
    assert {"code": error.code, "message": error.message, **error.details} == RUNNING


@pytest.mark.parametrize("command", ["resume", "report", "set-config"])
def test_force_is_named_only_where_it_can_be_typed(command):
    for answer in (RUNNING, DISABLED):
        assert "--force" in refusal(answer, "start", "--local").shown
        assert "force" not in refusal(answer, command, "--local").shown


@pytest.mark.parametrize(
    ("field", "wanted", "shown"),
    [
        ("olderThanDays", "0 to 36500 days", "--older-than must be 0 to 36500 days."),
        ("backups[3].made", "when it was made", "--backup must be when it was made."),
        ("key", "the item's key", "KEY must be the item's key."),
        ("version", "the version that you saw", "version must be the version that you saw."),
    ],
)
def test_a_field_is_called_by_its_option(field, wanted, shown):
    with pytest.raises(requests.Refused) as refused:
        requests.refuse(field, wanted)
    answer = {"code": refused.value.code, "message": refused.value.message, **refused.value.members}
    error = refusal(answer, "start", "--local")
    assert isinstance(error, UsageError)
    assert error.shown == shown
    assert error.message == refused.value.message


def test_every_field_of_a_request_has_a_name_here_or_is_none_of_the_operators_making():
    # What the command fills in by itself, and what only other callers send.
    own = {"after", "enabled", "version", "confirm", "within", "goal", "deep", "force", "versions", "html", "of"}
    fields = set(re.findall(r"""(?:_field|_flag|_number)\(event, "(\w+)\"""", inspect.getsource(requests)))
    fields |= set(re.findall(r"""refuse\("(\w+)\"""", inspect.getsource(requests)))
    fields |= set(re.findall(r"""name: str = "(\w+)\"""", inspect.getsource(requests)))
    assert {"segments", "mayBeAbsent", "key"} <= fields
    assert fields - own == OPTIONS.keys()


def test_what_is_not_found_is_no_wrong_usage():
    assert isinstance(refusal({"code": "not-found", "message": "There is no such sweep."}, "sweep", ""), NotFound)


@pytest.mark.parametrize("error", [None, "text", {}, {"code": "a-later-one"}, {"message": 1}])
def test_an_error_in_another_shape_is_still_a_sentence(error):
    assert refusal(error, "start", "--local").shown
