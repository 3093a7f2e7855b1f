"""What requests and answers look like, for validation and for the OpenAPI document."""

from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict  # What pydantic asks for before Python 3.12.

from http_api.openapi import Answer

_MESSAGE: Final = (
    "In the place of `{0}`: base64 of an AWS Encryption SDK message that holds it, under a data key of "
    "`POST /session/encryption/generate-key`; docs/format.md says what it must be. It is checked, and stored as it is."
)

_STORED: Final = "Base64 of the AWS Encryption SDK message that holds `{0}`."


@with_config(ConfigDict(extra="forbid", strict=True, json_schema_extra={"minProperties": 1}))
class SessionChanges(TypedDict, total=False):
    """What a session is to hold from now on. What is left out stays as it was."""

    name: Annotated[str, Field(description="The session's name; it stays readable in the table.")]
    history: Annotated[list[Any], Field(description="The messages, stored encrypted.")]
    configuration: Annotated[dict[str, Any], Field(description="The session's settings, stored encrypted.")]
    encrypted_history: Annotated[str, Field(description=_MESSAGE.format("history"))]
    encrypted_configuration: Annotated[str, Field(description=_MESSAGE.format("configuration"))]


class _SessionFacts(Answer):
    session_id: str
    name: Annotated[Any, Field(description="Text, if it was written through this API.")] = None
    start_time: Annotated[Any, Field(description="When the session was created, ISO 8601.")] = None
    create_time: Annotated[Any, Field(description="The same.")] = None
    last_updated: Annotated[Any, Field(description="When it was last written through this API.")] = None


class Session(_SessionFacts):
    """A session in the clear, with every attribute that its writers gave it, of whatever type; other members too.

    Numbers are exact: up to 38 digits, which a parser that makes floats of them would round. Binary is base64 text,
    a set is an array.
    """

    model_config = ConfigDict(extra="allow")

    user_id: str
    history: Annotated[Any, Field(description="An array, if it was written through this API.")] = None
    configuration: Annotated[Any, Field(description="An object, if it was written through this API.")] = None


class EncryptedSession(_SessionFacts):
    """A session for who decrypts it: each value is here encrypted or in the clear, and other members are as above."""

    model_config = ConfigDict(extra="allow")

    user_id: str
    history: Annotated[Any, Field(description="As above, where it is stored in the clear.")] = None
    configuration: Annotated[Any, Field(description="As above, where it is stored in the clear.")] = None
    encrypted_history: Annotated[str, Field(alias="encrypted_history", description=_STORED.format("history"))] = ""
    encrypted_configuration: Annotated[
        str, Field(alias="encrypted_configuration", description=_STORED.format("configuration"))
    ] = ""


class SessionInForm(Answer):
    """A session as `form=encrypted` asks for it."""

    form: Annotated[
        Literal["encrypted", "plaintext"],
        Field(
            description="`plaintext` where a value that is meant to be encrypted stands in the clear: encryption is "
            "off, messages are signed, or it could not be encrypted."
        ),
    ]
    session: EncryptedSession


class ListedSession(_SessionFacts):
    """A session as the list shows it."""

    encrypted: Annotated[bool, Field(description="Whether it was stored encrypted when last looked at.")]


class SessionPage(Answer):
    """Some of the caller's sessions, the newest first."""

    sessions: list[ListedSession]
    next_token: Annotated[str | None, Field(description="Leads to the next page; absent on the last one.")] = None
