"""What there is about a table that a plan tells, by what DescribeTable says."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dynamodb_stream_encryptor.planning.cost import Load
from dynamodb_stream_encryptor.planning.obstacles import _FAILURES, of_table
from dynamodb_stream_encryptor.planning.suggestion import (
    KMS_QUOTA,
    Suggestion,
    deploy_command,
    parameters,
    suggest,
)
from dynamodb_stream_encryptor.planning.table import Stream, Table, Traffic, read_table

ROOT = Path(__file__).parents[2]
ARN = "arn:aws:dynamodb:eu-central-1:111122223333:table/chats"
STREAM = Stream(f"{ARN}/stream/2026-01-02T08:30:00.000", "KEYS_ONLY", ())
KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
LOAD = Load(1_000_000, 900_000, 900_000, 2_000_000_000, 0, read_before=1, read_after=1, write=2, index_write=0)


def described(**more: Any) -> Table:
    """A table on demand with a stream of keys, and what ``more`` says in DescribeTable's words."""
    description = {
        "TableName": "chats",
        "TableArn": ARN,
        "KeySchema": [
            {"AttributeName": "userId", "KeyType": "RANGE"},
            {"AttributeName": "sessionId", "KeyType": "HASH"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": "sessionId", "AttributeType": "S"},
            {"AttributeName": "userId", "AttributeType": "B"},
        ],
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        "ItemCount": 10,
        "LatestStreamArn": STREAM.arn,
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        **more,
    }
    return read_table(description, "eu-central-1")


def codes(table: Table, single: bool = False, deployed: bool = False) -> dict[str, bool]:
    return {finding.code: finding.in_the_way for finding in of_table(table, single, deployed)}


REPLICAS = {"Replicas": [{"RegionName": "eu-central-1"}, {"RegionName": "us-east-1"}]}


def test_a_plain_table_has_nothing():
    assert codes(described()) == {}


def test_the_partition_key_comes_first_with_its_type():
    assert list(described().keys.items()) == [("sessionId", "S"), ("userId", "B")]


def test_replicas_under_last_writer_wins_stand_in_the_way_unless_one_region_writes():
    table = described(**REPLICAS)
    assert table.replicas == ("us-east-1",)
    assert codes(table) == {"replicas": True}
    assert codes(table, single=True) == {}


def test_replicas_of_strong_consistency_do_not():
    assert codes(described(**REPLICAS, MultiRegionConsistency="STRONG")) == {}


def test_a_stream_that_was_disabled_is_none():
    assert codes(described(StreamSpecification={"StreamEnabled": False})) == {"no-stream": True}


@pytest.mark.parametrize(
    ("member", "code"),
    [
        ({"recovery": True}, "recovery-holds-plaintext"),
        ({"backups": 1}, "backups-hold-plaintext"),
        ({"exports": 2}, "exports-hold-plaintext"),
        ({"kinesis": 1}, "kinesis-holds-plaintext"),
        ({"stream": replace(STREAM, consumers=("search",))}, "stream-has-consumers"),
        ({"stream": replace(STREAM, view="NEW_IMAGE")}, "stream-holds-values"),
    ],
)
def test_what_is_worth_knowing_does_not_stand_in_the_way(member, code):
    assert codes(replace(described(), **member)) == {code: False}


def test_what_is_not_known_is_not_told_as_found():
    assert codes(replace(described(), recovery=None, backups=None, exports=None, kinesis=None)) == {}


def test_the_stream_of_a_deployed_stack_has_its_own_reader():
    table = replace(described(), stream=replace(STREAM, consumers=("stream-encryptor",)))
    assert codes(table, deployed=True) == {}


def test_a_message_counts_one_as_one():
    (finding,) = of_table(replace(described(), backups=1), False, False)
    assert finding.message.startswith("There is 1 backup of the table")


def test_every_code_that_stands_in_the_way_is_documented():
    document = (ROOT / "docs/plan.md").read_text().partition("## What stands in the way")[2].partition("\n## ")[0]
    source = (ROOT / "dynamodb_stream_encryptor/planning/obstacles.py").read_text()
    calls = re.findall(r'Finding\(\s*"([a-z-]+)",(.*?)\n        +\)\n', source, re.DOTALL)
    in_the_way = {code for code, rest in calls if "in_the_way=False" not in rest}
    in_the_way |= {*re.findall(r'Finding\("([a-z-]+)", f"', source), *_FAILURES}
    assert len(in_the_way) > 12
    assert sorted(code for code in in_the_way if f"`{code}`" not in document) == []


class TestSuggestion:
    def test_on_demand_it_stays_within_kms_and_the_table(self):
        suggested = suggest(described(), LOAD, None)
        assert suggested.rate <= KMS_QUOTA * 0.1
        assert suggested.rate * LOAD.write <= 4000

    @pytest.mark.parametrize(("write", "read"), [(20, 1000), (1000, 3)])
    def test_provisioned_it_leaves_most_to_others(self, write, read):
        table = replace(described(), mode="provisioned", write_capacity=write, read_capacity=read)
        suggested = suggest(table, LOAD, Traffic(14, 0, 0, peak_writes=10, peak_reads=1))
        assert suggested.rate * LOAD.write <= max((write - 10) * 0.25, LOAD.write)
        assert "provisioned" in suggested.limited_by

    def test_a_table_that_is_full_gets_the_least(self):
        table = replace(described(), mode="provisioned", write_capacity=5, read_capacity=5)
        assert suggest(table, LOAD, Traffic(14, 0, 0, peak_writes=5, peak_reads=5)).rate == 1

    @pytest.mark.parametrize(("items", "segments"), [(0, 4), (100_000, 4), (1_000_000, 40), (10**9, 1000)])
    def test_segments_are_within_what_the_command_takes(self, items, segments):
        assert suggest(described(), replace(LOAD, items=items), None).segments == segments

    def test_parameters_say_what_the_table_needs(self):
        table = replace(described(**REPLICAS), own_key=KEY)
        given = parameters(table, ("history",), (), None, True, Suggestion(10, "", 4, 2))
        assert given["TableKeyArn"] == KEY
        assert given["SingleWritingRegion"] == "true"
        assert given["ContextAttributes"] == "sessionId,userId"
        assert "AppendedAttributes" not in given
        assert "KmsKeyArn" not in given

    def test_the_command_can_be_pasted(self):
        import shlex

        given = parameters(described(), ("history", "x"), (), KEY, False, Suggestion(10, "", 4, 2))
        build, _, deploy = deploy_command(given, "arm64", "eu-central-1").partition("\n")
        assert build == "sam build"
        words = shlex.split(deploy.replace("\\\n", " "))
        assert words[:5] == ["sam", "deploy", "--region", "eu-central-1", "--parameter-overrides"]
        assert dict(word.split("=", 1) for word in words[5:]) == {"Architecture": "arm64", **given}


@pytest.mark.parametrize(
    "name", ['"$(touch owned)"', "$(touch owned)", "'; touch owned; '", '"', '"$STREAM"; touch owned']
)
def test_suggested_commands_when_a_name_is_a_trap_then_a_shell_takes_it_as_a_word(name: str, tmp_path: Path) -> None:
    table = replace(described(LatestStreamArn=None), keys={name: "S"})
    given = parameters(table, [name], [], None, False, Suggestion(1, "x", 4, 2))

    command = deploy_command(given, "arm64", "eu-central-1")
    script = f"sam() {{ printf '%s\\n' \"$@\"; }}; STREAM=arn\n{command}"
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert list(tmp_path.iterdir()) == []
    assert f"ContextAttributes={name}" in done.stdout.splitlines()
    assert "TableStreamArn=arn" in done.stdout.splitlines()
