"""Who uses a table, by CloudTrail's data events."""

import gzip
import json
from typing import Any

import pytest

from dynamodb_stream_encryptor.errors import UsageError
from dynamodb_stream_encryptor.planning import trail as trail_module
from dynamodb_stream_encryptor.planning.trail import Trail
from dynamodb_stream_encryptor.planning.trail_files import events
from tests.trail_events import BOTO, ROLE, TABLE_ARN, event


def counted(*given: dict[str, Any]) -> Trail:
    trail = Trail("chats", ("history", "configuration"))
    for one in given:
        trail.add(one)
    return trail


def breaks(*given: dict[str, Any]) -> str:
    (caller,) = counted(*given).callers
    return " ".join(caller.breaks)


def test_callers_are_told_by_role_and_client_whatever_the_session_and_the_version():
    trail = counted(
        event(),
        event(agent=BOTO.replace("1.40.1", "1.41.0")),
        event(role=ROLE + "-2"),
        event(agent="[aws-sdk-java/2.20.1 ua/2.1 app/billing]"),
    )
    assert [(caller.principal, caller.client, caller.operations.total()) for caller in trail.callers] == [
        (ROLE, "Boto3", 2),
        (ROLE, "aws-sdk-java (billing)", 1),
        (ROLE + "-2", "Boto3", 1),
    ]


@pytest.mark.parametrize("name", ["GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems", "GetRecords"])
def test_who_reads_the_table_gets_ciphertext(name):
    assert f"reads the table itself ({name} 1)" in breaks(event(name))


def test_who_only_puts_and_deletes_breaks_nothing():
    assert breaks(event("PutItem"), event("DeleteItem"), event("BatchWriteItem")) == ""


def test_an_update_whose_expression_is_not_told_is_to_be_looked_at():
    assert "see that it does not append" in breaks(event("UpdateItem"))


NAMES = {"#h": "history", "#c": "configuration", "#n": "name"}


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("SET #h = list_append(#h, :m)", "appends to history without if_not_exists"),
        ("SET history = list_append(if_not_exists(history, :none), :m)", "appends to history: name it in --append"),
        ("SET history[0].content = :m", "sets or reads a part of history"),
        ("SET #n = :n, #c.model = :m", "sets or reads a part of configuration"),
        ("SET configuration = if_not_exists(configuration, :zero) + :one", "counts in or adds to configuration"),
        ("SET configuration = configuration + :one", "counts in or adds to configuration"),
        ("ADD #c :one", "counts in or adds to configuration"),
        ("REMOVE #n, configuration", "removes configuration"),
        ("set #n = :n remove #c", "removes configuration"),
    ],
)
def test_an_update_that_would_break_is_told(expression, said):
    told = breaks(event("UpdateItem", updateExpression=expression, expressionAttributeNames=NAMES))
    assert told.startswith(said)


@pytest.mark.parametrize(
    "expression",
    [
        "SET history = :h",
        "SET #h = :h, #n = :n",
        "SET historyId = :x",
        "SET #n = #n + :one",
        "REMOVE #n",
        "ADD visits :one",
    ],
)
def test_an_update_of_whole_attributes_and_of_others_is_not(expression):
    assert breaks(event("UpdateItem", updateExpression=expression, expressionAttributeNames=NAMES)) == ""


@pytest.mark.parametrize("kind", ["conditionExpression", "filterExpression", "projectionExpression"])
def test_a_condition_on_a_chosen_attribute_is_told(kind):
    told = breaks(event("PutItem", **{kind: "attribute_exists(#h)"}, expressionAttributeNames=NAMES))
    assert told == f"names history in its {kind}: once encrypted, that attribute is absent"


def test_a_condition_on_another_attribute_is_not():
    assert breaks(event("PutItem", conditionExpression="attribute_not_exists(historyId) AND v.history = :x")) == ""


def test_expressions_within_a_transaction_are_looked_at():
    update = {"update": {"tableName": "chats", "updateExpression": "REMOVE history"}}
    assert "removes history" in breaks(event("TransactWriteItems", transactItems=[update]))


def test_a_statement_is_to_be_looked_at():
    assert "uses PartiQL (ExecuteStatement 2)" in breaks(event("ExecuteStatement"), event("ExecuteStatement"))


@pytest.mark.parametrize(
    "other",
    [
        {},
        [],
        "text",
        {**event(), "eventSource": "s3.amazonaws.com"},
        {**event(), "requestParameters": {"tableName": "chats-2"}, "resources": []},
        {**event(), "requestParameters": None, "resources": [{"ARN": TABLE_ARN + "-2"}]},
    ],
    ids=["empty", "list", "text", "another service", "another name", "another ARN"],
)
def test_other_events_are_counted_apart(other):
    trail = counted(other)
    assert (trail.events, trail.others, trail.callers) == (0, 1, [])


@pytest.mark.parametrize(
    "own",
    [
        {"requestParameters": {"tableName": TABLE_ARN}, "resources": []},
        {"requestParameters": {"requestItems": {"chats": {}}}, "resources": []},
        {"requestParameters": {"shardIterator": "x"}, "resources": [{"ARN": TABLE_ARN + "/stream/2026-01-01T00:00"}]},
        {"requestParameters": None},
    ],
    ids=["by ARN", "a batch", "its stream", "by resource only"],
)
def test_the_table_is_recognised_in_each_kind_of_event(own):
    assert counted({**event(), **own}).events == 1


@pytest.mark.parametrize(
    "identity",
    [None, {}, {"type": "AWSService", "invokedBy": "backup.amazonaws.com"}, "x", {"sessionContext": "x"},
     {"sessionContext": {"sessionIssuer": "x"}}],
)  # fmt: skip
def test_a_caller_without_a_role_is_counted_too(identity):
    assert counted({**event(), "userIdentity": identity}).events == 1


def test_no_key_is_kept():
    trail = counted(event(key={"sessionId": "secret-7"}))
    assert "secret-7" not in json.dumps([caller.as_json() for caller in trail.callers])


def test_callers_beyond_the_bound_are_counted_together(monkeypatch):
    monkeypatch.setattr(trail_module, "MOST_CALLERS", 2)
    trail = counted(*(event(role=f"{ROLE}-{number}") for number in range(5)))
    assert (len(trail.callers), trail.further, trail.events) == (2, 3, 5)


class TestFiles:
    def read(self, source: Any) -> list[Any]:
        return list(events(str(source), lambda: pytest.fail("S3 is not needed"), lambda _: None))

    def test_a_file_plain_and_packed(self, tmp_path):
        text = json.dumps({"Records": [event(), event()]}).encode()
        plain, packed = tmp_path / "a.json", tmp_path / "b.json.gz"
        plain.write_bytes(text)
        packed.write_bytes(gzip.compress(text))
        assert len(self.read(plain)) == len(self.read(packed)) == 2

    def test_a_folder_at_any_depth_and_what_else_is_in_it(self, tmp_path):
        (tmp_path / "2026/01").mkdir(parents=True)
        (tmp_path / "2026/01/a.json.gz").write_bytes(gzip.compress(json.dumps({"Records": [event()]}).encode()))
        (tmp_path / "notes.txt").write_text("not looked at")
        assert len(self.read(tmp_path)) == 1

    @pytest.mark.parametrize(
        "content", [b"", b"[]", b'{"Records": 1}', b"\x1f\x8bno gzip", gzip.compress(b"{}", mtime=0)[:-4]]
    )
    def test_a_file_of_something_else_is_named(self, tmp_path, content):
        file = tmp_path / "a.json"
        file.write_bytes(content)
        with pytest.raises(UsageError, match=r"a\.json"):
            self.read(file)

    def test_an_empty_folder_and_no_folder_are_refused(self, tmp_path):
        with pytest.raises(UsageError, match="has no"):
            self.read(tmp_path)
        with pytest.raises(UsageError, match="cannot be read"):
            self.read(tmp_path / "none")
