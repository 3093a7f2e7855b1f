"""What it costs to encrypt and decrypt an item: variants beside each other in one run, as medians and ratios.

    .venv/bin/python -m benchmarks.encrypt_items [SESSIONS.jsonl[.gz]]

`make bench` measures the whole way, and this the cipher alone: KMS is answered in this process. Times say little
between machines; the ratios do.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import boto3
from boto3.dynamodb.types import TypeSerializer
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from item_crypto import Keyrings, ValueCipher
from item_crypto.core.context import encryption_context
from item_crypto.forms import open_envelope
from local.sessions import SAMPLES, load_sessions

KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ATTRIBUTES = ("history", "configuration")
DATA_KEY, ENCRYPTED_KEY = os.urandom(32), os.urandom(184)
ITEMS, ROUNDS = 60, 7

Values = Mapping[str, Any]
Work = Callable[[Values, dict[str, str]], object]


def kms() -> Any:
    """Return a KMS client whose calls are answered at once."""
    client = boto3.client("kms", "eu-central-1", aws_access_key_id="testing", aws_secret_access_key="testing")

    def answer(**_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        content = {"KeyId": KEY_ARN, "Plaintext": DATA_KEY, "CiphertextBlob": ENCRYPTED_KEY}
        return AWSResponse("", 200, HTTPHeaders(), None), {**content, "ResponseMetadata": {}}

    listeners: Any = client.meta.events  # A listener of before-call may answer, which its type does not tell.
    listeners.register("before-call.kms", answer)
    return client


def one_key_an_attribute(cipher: ValueCipher) -> Work:
    """Encrypt each attribute by itself: what sharing the item's data key saves."""

    def work(values: Values, context: dict[str, str]) -> object:
        return [cipher.encrypt({name: value}, context) for name, value in values.items()]

    return work


def decryption(cipher: ValueCipher) -> Work:
    """Decrypt what was encrypted before the clock runs."""
    stored: dict[str, Any] = {}

    def work(values: Values, context: dict[str, str]) -> object:
        key = context["sessionId"]
        if key not in stored:
            ciphertexts = cipher.encrypt(values, context)
            stored[key] = {name: open_envelope({"S": text}) for name, text in ciphertexts.items()}
        return cipher.decrypt(stored[key], context)

    return work


def main() -> None:
    """Run every variant in turn, several rounds, and print what an item costs."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES
    items = []
    for session in list(load_sessions(path))[:ITEMS]:
        item = {name: TypeSerializer().serialize(value) for name, value in session.items()}
        context = encryption_context(item, ("userId", "sessionId"), "session-encryption")
        items.append(({name: item[name] for name in ATTRIBUTES if name in item}, context))
    client = kms()
    plain, signed = (ValueCipher(Keyrings(client, KEY_ARN), signed) for signed in (False, True))
    variants: dict[str, Work] = {
        "encrypt": plain.encrypt,
        "encrypt, one data key an attribute": one_key_an_attribute(plain),
        "encrypt, signed": signed.encrypt,
        "decrypt": decryption(plain),
        "decrypt, signed": decryption(signed),
    }
    times: dict[str, list[float]] = {name: [] for name in variants}
    for round_number in range(ROUNDS + 1):
        for name, work in variants.items():
            started = time.process_time()
            for values, context in items:
                work(values, context)
            if round_number:  # The first round warms up.
                times[name].append((time.process_time() - started) * 1000 / len(items))
    base = median(times["encrypt"])
    print(f"{len(items)} items of {path.name}, median of {ROUNDS} rounds, processor time")
    for name, measured in times.items():
        print(f"  {name:<36} {median(measured):6.2f} ms an item   {median(measured) / base:4.2f} x encrypt")


if __name__ == "__main__":
    main()
