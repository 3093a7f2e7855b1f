"""A KMS that knows only recorded data keys: a real boto3 client whose requests are answered here, without a network."""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse

from tests.answers import http_answer
from tests.scene import CLIENT


@dataclass(frozen=True)
class DataKey:
    """A data key as KMS issued it."""

    key_arn: str
    encrypted: bytes
    plaintext: bytes
    context: dict[str, str]


def fake_kms(data_keys: Iterable[DataKey]) -> Any:
    """Return a KMS client that decrypts ``data_keys``, each under its own key and context, and nothing else."""
    known = {data_key.encrypted: data_key for data_key in data_keys}
    client: Any = boto3.client("kms", **CLIENT)

    def respond(request: Any, **_: Any) -> AWSResponse:
        assert request.headers["X-Amz-Target"] in (b"TrentService.Decrypt", "TrentService.Decrypt")
        asked = json.loads(request.body)
        data_key = known.get(base64.b64decode(asked["CiphertextBlob"]))
        if data_key is None or data_key.context != asked["EncryptionContext"]:
            return http_answer(request, 400, {"__type": "InvalidCiphertextException"})
        if data_key.key_arn != asked["KeyId"]:
            return http_answer(request, 400, {"__type": "IncorrectKeyException"})
        plaintext = base64.b64encode(data_key.plaintext).decode()
        return http_answer(request, 200, {"KeyId": data_key.key_arn, "Plaintext": plaintext})

    client.meta.events.register_first("before-send.kms", respond)
    return client
