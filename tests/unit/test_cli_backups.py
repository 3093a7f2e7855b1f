"""Older backups as an operator lists them, by options and in files."""

from datetime import UTC, datetime

import pytest

from dynamodb_stream_encryptor.backups import Backup, read_backup, read_backups
from dynamodb_stream_encryptor.errors import UsageError

DAY = datetime(2026, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "backup"),
    [
        ("n=2026-01-07", Backup("n", DAY)),
        ("n=2026-01-07T02:00+02:00", Backup("n", DAY)),
        ("n=2026-01-07/2026-02-11", Backup("n", DAY, datetime(2026, 2, 11, tzinfo=UTC))),
        ("a=b=2026-01-07", Backup("a=b", DAY)),
        ("arn:aws:dynamodb:x:1:table/t/backup/01=2026-01-07", Backup("arn:aws:dynamodb:x:1:table/t/backup/01", DAY)),
    ],
)
def test_a_backup_as_an_option(text, backup):
    assert read_backup(text) == backup


@pytest.mark.parametrize(
    "text", ["", "n", "n=", "=2026-01-07", "n=yesterday", "n=2026-13-01", "n=2026-01-07/2026-01-01"]
)
def test_a_bad_option_is_refused(text):
    with pytest.raises(UsageError, match="backup"):
        read_backup(text)


@pytest.mark.parametrize(
    "content",
    [
        '[{"name": "n", "created": "2026-01-07", "expires": "2026-02-11"}]',
        '{"BackupSummaries": [{"BackupName": "n", "BackupCreationDateTime": "2026-01-07T00:00:00+00:00",'
        ' "BackupExpiryDateTime": 1770768000.0}]}',
        '{"RecoveryPoints": [{"RecoveryPointArn": "n", "CreationDate": "2026-01-07T00:00:00Z",'
        ' "CalculatedLifecycle": {"DeleteAt": "2026-02-11T00:00:00Z"}}]}',
    ],
    ids=["plain", "aws dynamodb list-backups", "aws backup list-recovery-points-by-backup-vault"],
)
def test_backups_in_a_file(tmp_path, content):
    (tmp_path / "list.json").write_text(content)
    assert read_backups(tmp_path / "list.json") == [Backup("n", DAY, datetime(2026, 2, 11, tzinfo=UTC))]


@pytest.mark.parametrize(
    "content",
    ["", "{", "{}", "5", "[5]", "[{}]", '[{"name": 5, "created": "2026-01-07"}]', '[{"name": "n", "created": true}]',
     '[{"name": "n", "created": 1e99}]', '{"BackupSummaries": 5}', b"\xff"],
)  # fmt: skip
def test_a_bad_file_is_refused(tmp_path, content):
    (tmp_path / "list.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError, match="backup"):
        read_backups(tmp_path / "list.json")
