"""Functions that only encrypt or read ship without AWS's Material Providers Library: branch keys work without it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys

sys.modules["aws_cryptographic_material_providers"] = None  # To import it is an ImportError.
import os
from uuid import uuid4

from moto import mock_aws

import aws_encryption_sdk.streaming_client as sdk

assert not sdk._HAS_MPL, "the SDK found the library"
from item_crypto import ValueCipher
from item_crypto.forms import open_envelope
from tests.branch_keys import BRANCH_KEYS, TENANTS, Branches
from tests.scene import HISTORY, POLICY, Scene

with mock_aws():
    scene = Scene()
    branches = Branches(scene)
    identifier, version = TENANTS.branch_key_id("alice"), f"branch:version:{uuid4()}"
    key = os.urandom(32)
    for kind, more in (("branch:ACTIVE", {"version": {"S": version}}), (version, {})):
        # As the library lays out its rows.
        row = {"branch-key-id": {"S": identifier}, "type": {"S": kind}, "create-time": {"S": "2026"},
               "hierarchy-version": {"N": "1"}, "kms-arn": {"S": scene.key_arn},
               "aws-crypto-ec:purpose": {"S": POLICY.purpose}, **more}
        context = {name: next(iter(value.values())) for name, value in row.items()} | {"tablename": POLICY.purpose}
        blob = scene.kms.encrypt(KeyId=scene.key_arn, Plaintext=key, EncryptionContext=context)["CiphertextBlob"]
        scene.plain.put_item(TableName=BRANCH_KEYS, Item=row | {"enc": {"B": blob}})
    context = {"userId": "alice", "sessionId": "dlg-1", "purpose": POLICY.purpose}
    for signed in (False, True):
        text = ValueCipher(branches.keys(), signed).encrypt({"history": HISTORY}, context)["history"]
        envelope = open_envelope({"S": text})
        assert envelope.key == identifier
        assert branches.cipher().decrypt({"history": envelope}, context) == {"history": HISTORY}
print("read")
"""


def test_branch_keys_when_the_library_is_not_there_then_they_encrypt_and_read() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.stdout, done.returncode) == ("read\n", 0), done.stderr
