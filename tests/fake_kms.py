"""A KMS that knows only recorded data keys: a real boto3 client whose requests are answered here, without a network."""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

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
            return answer(request, 400, {"__type": "InvalidCiphertextException"})
        if data_key.key_arn != asked["KeyId"]:
            return answer(request, 400, {"__type": "IncorrectKeyException"})
        plaintext = base64.b64encode(data_key.plaintext).decode()
        return answer(request, 200, {"KeyId": data_key.key_arn, "Plaintext": plaintext})

    client.meta.events.register_first("before-send.kms", respond)
    return client


def failing(client: Any, service: str, code: str, status: int = 400, message: str = "refused") -> Any:
    """Make every call of ``client`` fail with an error code before it is sent; call what is returned to stop that."""

    def respond(**_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        parsed = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
        return AWSResponse("", status, HTTPHeaders(), _Body()), parsed

    client.meta.events.register(f"before-call.{service}", respond)
    return lambda: client.meta.events.unregister(f"before-call.{service}", respond)


def raising(client: Any, service: str, error: Exception) -> Any:
    """Make every request of ``client`` end in an exception instead of an answer; call what is returned to stop that."""

    def respond(**_: Any) -> None:
        raise error

    client.meta.events.register_first(f"before-send.{service}", respond)
    return lambda: client.meta.events.unregister(f"before-send.{service}", respond)


def answer(request: Any, status: int, document: dict[str, Any]) -> AWSResponse:
    """Return an HTTP response with a JSON body, as AWS gives it."""
    return AWSResponse(request.url, status, HTTPHeaders(), _Body(json.dumps(document).encode()))


class _Body(BytesIO):
    def stream(self, **_: Any) -> Any:
        yield self.read()
