"""The routes: a new data key for a session, and one that was made before.

The encryption context is made here, of who calls and the session's id, and never taken from a request. So KMS itself
refuses to decrypt a key that was made for somebody else, or for another session.
"""

import base64
import json
from typing import Annotated, Any, Final, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from http_api.errors import BadRequest
from http_api.openapi import REFUSALS, Answer, Problem, shows
from http_api.requests import JSON
from http_api.routes import Router
from http_api.session_key import new_session_key, session_key
from http_api.settings import SESSION_ID
from item_crypto.errors import DecryptionFailed, InvalidRequest
from item_crypto.keys.bare import SIZE
from item_crypto.keys.identity import MAX_ENCRYPTED
from session_keys.application import SessionKeys
from session_keys.errors import KeyRefused, NoClientEncryption

_GENERATE: Final = "/session/encryption/generate-key"
_DECRYPT: Final = "/session/encryption/decrypt-key"
_OFF: Final = "Encryption is switched off"
_OFF_FOR_THIS: Final = "Encryption is on for other sessions only"
_ALGORITHM: Final = "AES_256_GCM_HKDF_SHA512_COMMIT_KEY"

OPERATIONS: Final = {f"POST {_GENERATE}": "generate-key", f"POST {_DECRYPT}": "decrypt-key"}
"""What audit lines call them."""

app: Router[SessionKeys] = Router()

_Key = Annotated[str, Field(description=f"A key of {SIZE} bytes in base64.")]
_SessionId = Annotated[str, Field(description="The session's id, 1 to 2048 bytes of UTF-8. It need not exist yet.")]


class KeyRequest(BaseModel):
    """Which session a new data key is for."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)

    session_id: _SessionId


class EncryptedKey(KeyRequest):
    """A data key as it stands in a message of a session."""

    encrypted_key: Annotated[
        str,
        Field(
            min_length=4,
            max_length=MAX_ENCRYPTED // 3 * 4,
            description=f"The encrypted data key of a message's header: {MAX_ENCRYPTED} bytes at most, in base64.",
        ),
    ]


class NewKey(Answer):
    """A data key, and what a message that is made with it has to say."""

    plaintext_key: _Key
    encrypted_key: Annotated[str, Field(description="The same key as KMS encrypted it, in base64.")]
    key_arn: Annotated[str, Field(description="The KMS key that it is encrypted under: the key info of a message.")]
    algorithm: Annotated[Literal["AES_256_GCM_HKDF_SHA512_COMMIT_KEY"], Field(description="The suite to use.")]
    encryption_context: Annotated[dict[str, str], Field(description="The context to use, this one exactly.")]


class PlaintextKey(Answer):
    """A data key."""

    plaintext_key: _Key


_RESPONSES: Final = {
    **REFUSALS,
    413: shows("The body is larger than 3 MB.", Problem),
    415: shows("The body is not announced as JSON.", Problem),
}


@app.post(
    _GENERATE,
    summary="Make a data key",
    description="Makes a data key for one of the caller's sessions, which need not exist yet. What is encrypted with "
    "it is a message of the AWS Encryption SDK under the suite and the context of the answer.",
    operation_id="generateSessionKey",
    responses={
        200: shows("The key.", NewKey),
        409: shows(
            "Encryption is off, messages have to be signed, or each tenant has a key of its own: send the session in "
            "the clear.",
            Problem,
        ),
        **_RESPONSES,
    },
)
def generate_key(request: Annotated[KeyRequest, Body()]) -> Response[str]:
    """Return a new data key for one of the caller's sessions."""
    parts, line = app.call.parts, app.call.line
    line.key = key = new_session_key(line.who, request.session_id)
    policy = parts.switch.read().applied_to(parts.settings.shared.policy).for_item(key)
    if not policy.enabled:
        raise NoClientEncryption(_OFF if policy.part is None else _OFF_FOR_THIS)
    if parts.settings.shared.signed:
        raise NoClientEncryption("Messages have to be signed")
    _check_kind(parts)
    context = parts.context(key)
    try:
        made = parts.keys.generate(context)
    except InvalidRequest:
        raise BadRequest(SESSION_ID, "KMS does not take it as part of an encryption context") from None
    parts.telemetry.count("SessionKeysGenerated")
    line.result = "generated"
    return _shown(
        plaintextKey=_text(made.plaintext),
        encryptedKey=_text(made.encrypted),
        keyArn=made.key_arn,
        algorithm=_ALGORITHM,
        encryptionContext=context,
    )


@app.post(
    _DECRYPT,
    summary="Decrypt a data key",
    description="Decrypts a data key that was made for one of the caller's sessions, also while encryption is off.",
    operation_id="decryptSessionKey",
    responses={
        200: shows("The key.", PlaintextKey),
        409: shows("Each tenant has a key of its own, and no data key is given away.", Problem),
        **_RESPONSES,
    },
)
def decrypt_key(request: Annotated[EncryptedKey, Body()]) -> Response[str]:
    """Return a data key that was made for one of the caller's sessions."""
    parts, line = app.call.parts, app.call.line
    line.key = key = session_key(line.who, request.session_id)
    encrypted = _bytes(request.encrypted_key)
    _check_kind(parts)
    try:
        plaintext = parts.keys.decrypt(encrypted, parts.context(key))
    except DecryptionFailed as error:
        # Not a failed decryption by its metric, whose alarm tells of tampering: anybody may send anything here.
        parts.telemetry.count("SessionKeysRefused")
        line.facts = {"reason": error.reason, "detail": error.detail}
        raise KeyRefused from None
    parts.telemetry.count("SessionKeysDecrypted")
    line.result = "decrypted"
    return _shown(plaintextKey=_text(plaintext))


def _check_kind(parts: SessionKeys) -> None:
    """Refuse where data keys come from branch keys: these are nobody's outside of the functions."""
    branch_keys = parts.settings.shared.branch_keys
    if branch_keys is not None and branch_keys.writes:
        raise NoClientEncryption("Each tenant has a key of its own")


def _bytes(text: str) -> bytes:
    """Return what ``text``, in base64 as RFC 4648 has it in section 4, stands for: each text for bytes of its own."""
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError:
        content = b""
    if _text(content) != text:
        raise BadRequest("encryptedKey", "not base64")
    return content


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _shown(**members: Any) -> Response[str]:
    return Response(200, JSON, json.dumps(members))
