"""Branch keys by IAM's own rules: what each role may do with them, and that none reaches an item's data key by them."""

import json
import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any, Final

import pytest

from tests.unit.sam_template import Stack, translated

HERE: Final = Path(__file__).parent
ACCOUNT: Final = "111122223333"
KEY, EARLIER, FOREIGN = (
    f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3)
)
TABLE: Final = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/branch-keys"
STACK: Final = Stack(
    translated(),
    {
        "KmsKeyArn": KEY,
        "EarlierKeyArns": EARLIER,
        "KeyringType": "hierarchical",
        "BranchKeyTableName": "branch-keys",
    },
)
DATA_PATH: Final = ("StreamEncryptorRole", "RetryRole", "ReaderRole", "ItemReaderRole")
ENCRYPTORS: Final = DATA_PATH[:2]
MAKERS: Final = ("MigratorRole", "DeferredRole", "ControlRole")
PURPOSE: Final = "session-encryption"


def context(**changes: str | None) -> dict[str, str]:
    """Return the encryption context of a branch key, as KMS is asked for it."""
    members: dict[str, str | None] = {
        "branch-key-id": "tenant-a1",
        "type": "branch:ACTIVE",
        "tablename": PURPOSE,
        "kms-arn": KEY,
        "aws-crypto-ec:purpose": PURPOSE,
        **changes,
    }
    return {f"kms:EncryptionContext:{name}": value for name, value in members.items() if value is not None}


def of_an_item(**changes: str | None) -> dict[str, str]:
    """Return the encryption context of an item's data key."""
    members = {"userId": "alice", "sessionId": "dlg-1", "purpose": PURPOSE, **changes}
    return {f"kms:EncryptionContext:{name}": value for name, value in members.items() if value is not None}


Question = tuple[str, str, str, dict[str, str]]


def answers(questions: list[Question]) -> list[bool]:
    """Return whether IAM allows each role, action and resource under condition keys."""
    if shutil.which("node") is None or not (HERE / "node_modules").is_dir():
        reason = "the IAM simulator is not installed (node, and: npm ci --prefix tests/iam)"
        warnings.warn(f"NO POLICY WAS EVALUATED: {reason}", stacklevel=1)
        pytest.skip(f"NOT RUN: {reason}")
    requests = [
        {
            "principal": f"arn:aws:iam::{ACCOUNT}:role/{role}",
            "policies": policies(role),
            "resourcePolicy": None if action.startswith("dynamodb:") else KEY_POLICY,
            "action": action,
            "resource": resource,
            "context": keys,
        }
        for role, action, resource, keys in questions
    ]
    done = subprocess.run(
        ["node", str(HERE / "simulate.mjs")],
        input=json.dumps({"requests": requests, "mend": True}),
        capture_output=True,
        text=True,
        check=True,
    )
    return [verdict == "Allowed" for verdict in json.loads(done.stdout)]


KEY_POLICY: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    ],
}


def policies(role: str) -> list[Any]:
    """Return the role's policy, as far as it is about keys and the table of branch keys."""
    statements = [
        statement for statement in STACK.statements(role) if set(statement["Resource"]) <= {KEY, EARLIER, TABLE}
    ]
    assert statements
    return [{"Version": "2012-10-17", "Statement": statements}]


def test_every_role_of_data_when_it_reads_a_branch_key_then_it_may() -> None:
    asked: list[Question] = []
    for role in (*DATA_PATH, *MAKERS):
        asked += [
            (role, "kms:Decrypt", key, context(type=kind))
            for key in (KEY, EARLIER)
            for kind in ("branch:ACTIVE", "branch:version:4f2a")
        ]
        asked.append((role, "dynamodb:GetItem", TABLE, {}))

    assert answers(asked) == [True] * len(asked)


def test_makers_when_they_make_rotate_and_write_then_they_may() -> None:
    asked: list[Question] = []
    for role in MAKERS:
        for kind in ("branch:version:4f2a", "beacon:ACTIVE"):
            asked.append((role, "kms:GenerateDataKeyWithoutPlaintext", KEY, context(type=kind)))
        asked += [(role, f"kms:ReEncrypt{way}", KEY, context()) for way in ("From", "To")]
        asked.append((role, "dynamodb:PutItem", TABLE, {}))
    asked += [("ControlRole", f"dynamodb:{action}", TABLE, {}) for action in ("Query", "Scan", "DeleteItem")]

    assert answers(asked) == [True] * len(asked)


def test_nobody_when_it_asks_for_more_than_branch_keys_then_it_may_not() -> None:
    asked: list[Question] = []
    for role in ENCRYPTORS:
        asked += [
            (role, "kms:Decrypt", KEY, of_an_item()),
            (role, "kms:Decrypt", EARLIER, of_an_item()),
            (role, "kms:Decrypt", KEY, of_an_item(purpose=None)),
            # An item whose key attributes have a branch key's names is still an item: it has a purpose.
            (role, "kms:Decrypt", KEY, of_an_item(tablename=PURPOSE, type="branch:ACTIVE")),
        ]
    for role in (*DATA_PATH, *MAKERS):
        asked += [
            (role, "kms:Decrypt", KEY, context(tablename="another")),
            (role, "kms:Decrypt", KEY, context(tablename=None)),
            (role, "kms:Decrypt", KEY, context(type="beacon:ACTIVE")),
            (role, "kms:Decrypt", KEY, context(type=None)),
            (role, "kms:Decrypt", FOREIGN, context()),
        ]
    for role in DATA_PATH:
        asked += [
            (role, "kms:GenerateDataKeyWithoutPlaintext", KEY, context()),
            (role, "kms:ReEncryptFrom", KEY, context()),
            (role, "kms:ReEncryptTo", KEY, context()),
            (role, "dynamodb:PutItem", TABLE, {}),
            (role, "dynamodb:DeleteItem", TABLE, {}),
            (role, "dynamodb:Query", TABLE, {}),
            (role, "dynamodb:Scan", TABLE, {}),
        ]
    for role in MAKERS:
        asked.append((role, "kms:ReEncryptTo", KEY, of_an_item()))
    for role in MAKERS[:2]:
        asked += [(role, f"dynamodb:{action}", TABLE, {}) for action in ("DeleteItem", "Scan", "DeleteTable")]

    allowed = [question[:3] for question, may in zip(asked, answers(asked), strict=True) if may]
    assert allowed == []
