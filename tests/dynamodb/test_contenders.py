"""The benchmark's contenders do what they are measured for: a table in plaintext becomes one that decrypts."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError

from benchmarks import memory, reads, writes
from benchmarks.entries import ENTRIES, Entry
from benchmarks.parties import KEY_ARN, OWN_PYTHON, REGION, Kms
from benchmarks.samples import items_of
from local.sessions import SAMPLES, load_sessions

SESSIONS = list(load_sessions(SAMPLES))
CALLS = {
    "limit": 0,
    "kms": 1,
    "kms-batched": 1,
    "kms-binary": 1,
    "hierarchical": 0,
    "hierarchical-batched": 0,
    "lisa": 2,
    "guide": 2,
    "encryption-client": 1,
}
"""Calls to KMS for an item of two attributes."""


@pytest.fixture(scope="module")
def kms() -> Iterator[Kms]:
    with Kms(0) as running:
        yield running


@pytest.mark.usefixtures("dynamodb_local")
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_a_contender_encrypts_every_item_by_as_many_calls_as_it_is_known_to_make(entry: Entry, kms: Kms) -> None:
    if entry.own_environment and not OWN_PYTHON.exists():
        pytest.skip("NOT RUN: .venv-bench is not installed (make bench)")

    found = writes.measure([entry], {6: items_of(SESSIONS, 6, 5)}, 1, kms)[entry.name]["6"]

    assert found["items"] == 5
    assert found["kmsCalls"] == CALLS[entry.name]
    assert found["storedBytes"] != found["plainBytes"]


@pytest.mark.usefixtures("dynamodb_local")
def test_what_is_too_large_once_it_is_encrypted_is_told_and_no_error(kms: Kms) -> None:
    lisa = next(entry for entry in ENTRIES if entry.name == "lisa")
    limit = next(entry for entry in ENTRIES if entry.name == "limit")
    found = writes.measure([lisa, limit], {300: items_of(SESSIONS, 300, 1), 6: items_of(SESSIONS, 6, 2)}, 2, kms)
    assert found["lisa"]["300"] == {"items": 1, "tooLarge": True}
    rounds = [found[name][size]["itemsPerSecond"]["rounds"] for name, size in (("limit", "300"), ("lisa", "6"))]
    assert [len(each) for each in rounds] == [2, 2]  # Who fits goes on, and who did not fit is there for the next size.


@pytest.mark.usefixtures("dynamodb_local")
def test_reads_and_batches_go_through_the_functions(kms: Kms) -> None:
    read = reads.measure(items_of(SESSIONS, 6, 2), kms)
    assert read["items"] == 1
    assert read["first"]["kmsCalls"] == 1
    assert read["repeated"]["kmsCalls"] == 0
    assert read["first"]["dynamodbRequests"] >= 1

    taken = memory.measure(items_of(SESSIONS, 6, 3), kms)
    assert taken["records"] == 3
    assert taken["peakBytes"] >= taken["startedBytes"] > 20 * 1024**2


def test_kms_over_http_counts_its_calls_and_refuses_another_context() -> None:
    with Kms(0) as kms:
        client = boto3.client(
            "kms", REGION, endpoint_url=kms.url, aws_access_key_id="bench", aws_secret_access_key="bench"
        )
        key = client.generate_data_key(KeyId=KEY_ARN, KeySpec="AES_256", EncryptionContext={"userId": "user-24"})
        asked = {"CiphertextBlob": key["CiphertextBlob"], "KeyId": KEY_ARN}

        assert client.decrypt(**asked, EncryptionContext={"userId": "user-24"})["Plaintext"] == key["Plaintext"]
        with pytest.raises(ClientError, match="InvalidCiphertextException"):
            client.decrypt(**asked, EncryptionContext={"userId": "user-25"})
        assert kms.calls() == 3
