"""What requests and answers look like, for validation and for the OpenAPI document."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, with_config
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict  # What pydantic asks for before Python 3.12.


@with_config(ConfigDict(extra="forbid", strict=True, json_schema_extra={"minProperties": 1}))
class SessionChanges(TypedDict, total=False):
    """What a session is to hold from now on. What is left out stays as it was."""

    name: Annotated[str, Field(description="The session's name; it stays readable in the table.")]
    history: Annotated[list[Any], Field(description="The messages, stored encrypted.")]
    configuration: Annotated[dict[str, Any], Field(description="The session's settings, stored encrypted.")]


class _Answer(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class _SessionFacts(_Answer):
    session_id: str
    name: str | None = None
    start_time: Annotated[str | None, Field(description="When the session was created, ISO 8601.")] = None
    create_time: Annotated[str | None, Field(description="The same.")] = None
    last_updated: Annotated[str | None, Field(description="When it was last written through this API.")] = None


class Session(_SessionFacts):
    """A session in the clear, with every attribute that its writers gave it.

    Numbers are exact: up to 38 digits, which a parser that makes floats of them would round. Binary is base64 text,
    a set is an array.
    """

    model_config = ConfigDict(extra="allow")

    user_id: str
    history: list[Any] | None = None
    configuration: dict[str, Any] | None = None


class ListedSession(_SessionFacts):
    """A session as the list shows it."""

    encrypted: Annotated[bool, Field(description="Whether it was stored encrypted when last looked at.")]


class SessionPage(_Answer):
    """Some of the caller's sessions, the newest first."""

    sessions: list[ListedSession]
    next_token: Annotated[str | None, Field(description="Leads to the next page; absent on the last one.")] = None


class Problem(_Answer):
    """Why a request was not served."""

    status_code: int
    message: str
    field: Annotated[str | None, Field(description="The field that is wrong.")] = None
