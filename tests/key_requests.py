"""Requests for data keys, and a world around the function that answers them: keys, the setting, faults."""

import base64
import json
import uuid
from typing import Any, Final

import boto3
import botocore.session
import pytest
from botocore.loaders import create_loader

from encryptor_runtime.switch import Switch
from session_keys import application
from session_keys.handler import lambda_handler
from tests.factories import CONTEXT, jwt
from tests.faults import FunctionFaults
from tests.tables import create_table

CONTROL: Final = "control"
_LOADER: Final = create_loader()  # Service descriptions are read once, not once a test.


def key_request(route: str, body: Any, authorizer: Any = None, content_type: str = "application/json") -> Any:
    """Return an event of payload format 2.0 for ``generate-key`` or ``decrypt-key``."""
    path = f"/session/encryption/{route}"
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"POST {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"authorization": "Bearer eyJhbGciOiJSUzI1NiJ9.token", "content-type": content_type},
        "requestContext": {"http": {"method": "POST", "path": path}, "requestId": "r-1", "stage": "$default"},
        "isBase64Encoded": False,
        "body": body if isinstance(body, str) else json.dumps(body),
    }
    if authorizer is not None:
        event["requestContext"]["authorizer"] = authorizer
    return event


class KeyAnswer:
    """A response of the function."""

    def __init__(self, response: dict[str, Any]) -> None:
        self.status: int = response["statusCode"]
        self.headers: dict[str, str] = response["headers"]
        self.text: str = response["body"]
        self.body: Any = json.loads(self.text)
        assert self.headers["Cache-Control"] == "no-store"
        assert self.headers["X-Content-Type-Options"] == "nosniff"

    @property
    def key(self) -> bytes:
        return base64.b64decode(self.body["plaintextKey"], validate=True)


class KeyWorld:
    """Two keys, one that nobody lists, and a control table on moto, and the function over them.

    Attributes:
        faults: of the function's calls.
        calls: the names of the function's calls, in turn.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        session = botocore.session.get_session()
        session.register_component("data_loader", _LOADER)
        boto3.setup_default_session(botocore_session=session)
        self.kms = boto3.client("kms")
        self.key_arn, self.earlier_arn, self.unlisted_arn = (
            self.kms.create_key()["KeyMetadata"]["Arn"] for _ in range(3)
        )
        dynamodb = boto3.client("dynamodb")
        create_table(dynamodb, CONTROL, "id", "part")
        self.switch = Switch(dynamodb, CONTROL, True, 0)
        self.faults = FunctionFaults(self.set)
        self.calls: list[str] = []
        self._monkeypatch = monkeypatch
        session.register("before-call", lambda model, **_: self.calls.append(model.name))
        self.set(
            TABLE_NAME="sessions",
            CONTROL_TABLE_NAME=CONTROL,
            SESSION_ENCRYPTION_KEY_ARN=self.key_arn,
            EARLIER_KEY_ARNS=self.earlier_arn,
            ENCRYPTED_ATTRIBUTES="history,configuration",
            CONTEXT_ATTRIBUTES="userId,sessionId",
            CONTEXT_PURPOSE="session-encryption",
            SETTING_CACHE_SECONDS="0",
            USER_CLAIM="sub",
            TRUSTED_ROLE_IDS="AROATRUSTED",
            # Powertools keeps a logger, and the stream it writes to, by this name.
            POWERTOOLS_SERVICE_NAME=f"test-{uuid.uuid4()}",
        )

    def set(self, **environment: str) -> None:
        """Change the function's environment; it starts anew."""
        for name, value in environment.items():
            self._monkeypatch.setenv(name, value)
        application.session_keys.cache_clear()

    def switch_off(self) -> None:
        self.switch.change(False, "root", self.switch.read_now().version)

    def generate(self, session_id: str = "dlg-1", user: str = "alice", **options: Any) -> KeyAnswer:
        return self.send("generate-key", {"sessionId": session_id}, user, **options)

    def decrypt(self, encrypted: str, session_id: str = "dlg-1", user: str = "alice", **options: Any) -> KeyAnswer:
        return self.send("decrypt-key", {"sessionId": session_id, "encryptedKey": encrypted}, user, **options)

    def send(self, route: str, body: Any, user: str = "alice", **options: Any) -> KeyAnswer:
        event = key_request(route, body, **{"authorizer": jwt(user), **options})
        return KeyAnswer(lambda_handler(event, CONTEXT))

    def made_under(self, key_arn: str, **size: Any) -> tuple[str, bytes]:
        """Return a data key of alice's dlg-1 as KMS makes it under ``key_arn``: encrypted, in base64; in the clear."""
        made = self.kms.generate_data_key(KeyId=key_arn, EncryptionContext=context(), **size or {"KeySpec": "AES_256"})
        return base64.b64encode(made["CiphertextBlob"]).decode(), made["Plaintext"]


def context(session_id: str = "dlg-1", user: str = "alice") -> dict[str, str]:
    return {"userId": user, "sessionId": session_id, "purpose": "session-encryption"}
