"""The evidence as two files: one cannot be changed without the other telling."""

import hashlib
import json
from datetime import UTC, datetime

import pytest

from dynamodb_stream_encryptor.output import json_text
from evidence.files import files
from evidence.report import evidence
from evidence.retention import Backup
from tests.unit.test_evidence_report import findings

HOSTILE = "\x00\x1b[2J\x7f\x9b\u2028\u202e\u2066 Gespräche 会話 \"'<&>"


def test_page_when_made_then_it_carries_the_hash_of_the_json_text() -> None:
    document = evidence(findings())

    written = files(document)

    assert written.sha256 == hashlib.sha256(written.json.encode()).hexdigest()
    assert written.sha256 in written.html
    assert json.loads(written.json) == document
    assert written.json.endswith("}\n")


def test_files_when_not_named_then_they_are_named_after_the_table_and_the_time() -> None:
    document = evidence(findings())

    assert files(document).name == "evidence-chat-sessions-20260102T090000Z"
    assert "evidence-chat-sessions-20260102T090000Z.json" in files(document).html
    assert files(document, "q1").name == "q1"
    assert "<code>q1.json</code>" in files(document, "q1").html


def test_json_when_it_holds_other_peoples_words_then_it_is_the_text_that_the_command_prints() -> None:
    backup = Backup(HOSTILE, datetime(2025, 1, 1, tzinfo=UTC))
    document = evidence(findings(backups=[backup]))

    assert files(document).json == f"{json_text(document)}\n"
    assert "Gespräche 会話" in files(document).json


@pytest.mark.parametrize("half", ["\ud800", "x\udfff"])
def test_json_when_there_is_half_a_character_then_it_is_spelt_out(half: str) -> None:
    written = files(evidence(findings(who=half)))

    assert json.loads(written.json)["generatedBy"] == half
    assert written.json.isascii()
