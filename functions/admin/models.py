"""What the administrators' commands take and answer, for validation and for the OpenAPI document."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from encryptor_runtime.messages import MAX_SEGMENTS
from http_api.openapi import Answer, Problem
from item_crypto.core.part import ALL_BUCKETS, MAX_KEYS

_Moment = Annotated[str, Field(description="ISO 8601.")]


class _Given(BaseModel):
    """A body, read strictly: no other member, no value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel, allow_inf_nan=False)


class Start(_Given):
    """A sweep to start."""

    goal: Literal["encrypt", "decrypt", "re-encrypt", "verify"]
    segments: Annotated[int | None, Field(ge=1, le=MAX_SEGMENTS, description="Into how many parts to cut it.")] = None
    rate: Annotated[float | None, Field(gt=0, description="Items a second at most; left out: no ceiling.")] = None
    older_than_days: Annotated[float | None, Field(ge=0, description="For `re-encrypt`: the age of data keys.")] = None
    deep: Annotated[bool | None, Field(description="For `verify`: whether to decrypt.")] = None
    force: Annotated[bool | None, Field(description="Start it even where another one runs.")] = None
    confirm: Annotated[Literal["decrypt"] | None, Field(description="Required to decrypt.")] = None


class Cancel(_Given):
    """The word for ending a sweep."""

    confirm: Literal["cancel"]


class SetRate(_Given):
    """How fast a sweep may go."""

    rate: Annotated[
        float | None, Field(gt=0, description="Items a second at most, all segments together; null: no ceiling.")
    ]


class Redrive(_Given):
    """How many dead letters to try again."""

    max: Annotated[int | None, Field(ge=1, description="Dead letters at most; left out: 100.")] = None


class Discard(_Given):
    """Why a dead letter is given up."""

    reason: Annotated[str, Field(min_length=1, max_length=256, description="Kept in the log, with who gave it.")]
    confirm: Literal["discard"]


_Tenant = Annotated[
    str | None,
    Field(min_length=1, max_length=3000, description="As the items' key has it; left out where all have one key."),
]


class OneTenant(_Given):
    """Whose branch key is meant."""

    tenant: _Tenant = None


class Shred(_Given):
    """A tenant whose branch key is to be destroyed."""

    tenant: Annotated[str, Field(min_length=1, max_length=3000, description="As the items' key has it.")]
    confirm: Annotated[str, Field(description="The tenant's name again.")]
    cursor: Annotated[
        dict[str, Any] | None, Field(description="Where to go on looking: the `cursor` of the answer before.")
    ] = None


class Refusal(Problem):
    """Why a command was not carried out; nothing was changed."""

    code: Annotated[
        str,
        Field(
            description="`conflict`, `forbidden-by-setting`, `mapping-not-enabled`, `stopped`, `ambiguous`, "
            "`not-found`, `invalid-request`."
        ),
    ] = ""
    version: Annotated[int | None, Field(description="The setting's version, where another was given.")] = None
    sweep: Annotated[str | None, Field(description="The sweep that runs, where it stands in the way.")] = None


class Part(_Given):
    """The part that encryption is to be on for: one of the two."""

    buckets: Annotated[
        int | None, Field(ge=1, lt=ALL_BUCKETS, description="So many of 10,000 buckets of the keys' hash: 100 are 1%.")
    ] = None
    keys: Annotated[
        list[dict[str, Any]] | None,
        Field(min_length=1, max_length=MAX_KEYS, description="The items of these keys, in DynamoDB JSON."),
    ] = None


class ShownPart(Answer):
    """How large the part is that encryption is on for: buckets of the keys' hash, or listed keys."""

    buckets: Annotated[int | None, Field(description="How many buckets the part has.")] = None
    of: Annotated[int | None, Field(description="Of how many: 10,000, so that 100 are 1%.")] = None
    keys: Annotated[int | None, Field(description="How many keys are listed.")] = None


class SettingVersion(Answer):
    """The setting at one version."""

    enabled: bool
    part: Annotated[ShownPart | None, Field(description="The part that it is on for; null: for all, or off.")]
    version: int
    changed_by: str | None
    changed_at: _Moment | None


class ChangedSetting(Answer):
    """The setting as it is now."""

    setting: SettingVersion


class Config(ChangedSetting):
    """The setting as it is now, and each of its versions, the newest first."""

    listed_keys: Annotated[
        list[dict[str, Any]] | None, Field(description="The keys that it is on for, in DynamoDB JSON; null: none is.")
    ]
    history: list[SettingVersion]


class SweepState(Answer):
    """A sweep, and how far it has come."""

    id: str
    goal: Literal["encrypt", "decrypt", "re-encrypt", "verify"]
    state: Literal["running", "paused", "cancelled", "stopped", "done"]
    started_by: str
    started_at: _Moment
    finished_at: _Moment | None
    setting_version: int
    segments: int
    segments_done: int
    scanned: int
    estimated_items: int
    counts: Annotated[dict[str, int], Field(description="What became of items, or, for `verify`, their state.")]
    outside: Annotated[
        dict[str, int],
        Field(description="For `verify` where encryption is on for a part: the state of items outside of it."),
    ]
    attributes: Annotated[dict[str, dict[str, int]], Field(description="For `verify`: by attribute.")]
    strays: dict[str, int]
    values: dict[str, int]
    encodings: Annotated[dict[str, int], Field(description="For `verify`: ciphertexts by how they are stored.")]
    under_key: Annotated[dict[str, int], Field(description="Items under each KMS key, by ARN.")]
    rate: Annotated[float | None, Field(description="Items a second at most; null: no ceiling.")]
    older_than: _Moment | None
    deep: bool
    items_per_second: Annotated[float, Field(description="On average since the start, pauses included.")]
    rate_now: Annotated[float | None, Field(description="Items a second at present; null: it does not run.")]
    limited_by: Annotated[
        Literal["ceiling", "table-capacity", "table-throttled", "kms-throttled", "function"] | None,
        Field(description="What keeps it from going faster; null: it gets faster, or does not run."),
    ]
    estimated_end: Annotated[
        str | None, Field(description="When it ends if it goes on like this, ISO 8601; null: unknown.")
    ]
    segments_running: Annotated[int, Field(description="Segments that are worked on at present.")]
    items_failed: Annotated[int, Field(description="Items that failed so far, and will not be tried again.")]
    reason: str | None
    minutes_without_progress: int | None


class SegmentState(Answer):
    """How far one segment of a sweep has come."""

    segment: int
    state: Literal["waiting", "running", "done"]
    pages: int
    scanned: int
    counts: dict[str, int]
    rate_now: float | None
    limited_by: str | None


class SweepInDetail(SweepState):
    """A sweep and its segments."""

    segments_detail: list[SegmentState]


class OneSweep(Answer):
    """A sweep."""

    sweep: SweepState


class OneSweepInDetail(Answer):
    """A sweep and its segments."""

    sweep: SweepInDetail


class Messages(Answer):
    """About how many messages a queue has."""

    messages: int
    url: str = ""


class Stream(Answer):
    """The table's stream."""

    arn: str | None
    view_type: str | None


class Mapping(Answer):
    """The event source mapping of the table's stream."""

    state: str | None


class Key(Answer):
    """The current KMS key."""

    arn: str
    state: str | None
    rotation_enabled: bool | None
    rotation_period_in_days: int | None
    next_rotation_date: _Moment | None


class Recovery(Answer):
    """To which times the table can be restored."""

    pitr: bool
    days: int | None
    earliest: _Moment | None
    latest: _Moment | None


class TenantKeys(Answer):
    """Branch keys, where the stack has any."""

    table: Annotated[str, Field(description="The table of branch keys.")]
    attribute: Annotated[str | None, Field(description="What tells one tenant from another; null: one key for all.")]
    writes: Annotated[bool, Field(description="Whether writes use them; if not, they are only read.")]


class Status(Answer):
    """How things stand."""

    table: str
    table_arn: str
    account: str
    table_item_count: Annotated[int, Field(description="By DynamoDB's own count, some six hours old.")]
    stream: Stream
    setting: SettingVersion
    sweeps: Annotated[list[SweepState], Field(description="The newest; those that run or are paused first.")]
    failure_queue: Messages
    work_queue: Messages
    deferred_queue: Messages
    mapping: Mapping
    key: Key
    earlier_keys: list[str]
    tenant_keys: TenantKeys | None
    attributes: list[str]
    attributes_since: dict[str, str]
    earlier_attributes: list[str]
    algorithm: str
    encoding: Annotated[Literal["base64", "binary"], Field(description="How ciphertexts are stored from now on.")]
    context_attributes: list[str]
    purpose: str
    recovery: Recovery


class DeadLetter(Answer):
    """A message of the failure queue: a key and a reason, never a value."""

    id: str
    kind: Literal["item", "mapping", "work", "unknown"]
    key: Annotated[dict[str, Any] | None, Field(description="The item's key, in DynamoDB JSON.")]
    reason: str | None
    time: _Moment | None
    record_id: Annotated[str | None, Field(description="The stream record that hinted at the key.")]
    attempts: int
    range: Annotated[dict[str, str | None] | None, Field(description="The range of the stream that was given up.")]


class DeadLetters(Answer):
    """Some dead letters."""

    failures: list[DeadLetter]
    messages: Annotated[int, Field(description="About how many there are.")]


class Redriven(Answer):
    """What came of trying dead letters again."""

    done: int
    again: Annotated[int, Field(description="Dead letters that failed again, and stay.")]
    sweep: Annotated[str | None, Field(description="A sweep that was started in the place of a trimmed range.")]
    notes: list[str]
    remaining: Annotated[int, Field(description="About how many are left.")]


class Discarded(Answer):
    """A dead letter is gone."""

    discarded: Literal[True]


class Point(Answer):
    """The plaintext window of the items that were encrypted within one period."""

    time: Annotated[str, Field(description="When the period begins, ISO 8601.")]
    p50: Annotated[float, Field(description="Milliseconds from write to encryption, median.")]
    p99: Annotated[float, Field(description="The same, 99th percentile.")]
    count: int


class Window(Answer):
    """The plaintext window over time; periods in which nothing was encrypted are left out."""

    period_seconds: int
    points: list[Point]


class BranchKey(Answer):
    """A branch key, or what is left of one; never the key itself."""

    branch_key_id: str
    state: Annotated[Literal["active", "destroyed", "absent"], Field(description="`destroyed`: for good.")]
    tenant: Annotated[str | None, Field(description="Empty where all have one key; null of one that is destroyed.")]
    since: Annotated[_Moment | None, Field(description="When the version that writes use was made, or the key gone.")]
    kms_key_arn: str | None


class BranchKeys(Answer):
    """Some branch keys."""

    branch_keys: list[BranchKey]
    after: Annotated[str | None, Field(description="What to go on after; null: there are no more.")]


class MadeBranchKey(Answer):
    """A branch key that is there now."""

    branch_key: BranchKey
    made: Annotated[bool, Field(description="Whether it was made just now.")]


class RotatedBranchKey(Answer):
    """A branch key with a new version."""

    branch_key: BranchKey


class Copy(Answer):
    """What can still be read, for a while."""

    what: str
    until: Annotated[_Moment | None, Field(description="Null: until it is deleted.")]


class Shredded(Answer):
    """How far the look at a tenant's items is; at its end, the branch key is destroyed."""

    shredded: Annotated[bool, Field(description="Whether the branch key is destroyed; if not, go on from `cursor`.")]
    scanned: Annotated[int, Field(description="Items of any tenant that were read.")]
    items: Annotated[int, Field(description="How many of them are the tenant's.")]
    cursor: dict[str, Any] | None
    branch_key: BranchKey | None = None
    readable: Annotated[list[Copy] | None, Field(description="Copies that can still be read.")] = None


class RecentAction(Answer):
    """What somebody did, or was refused."""

    time: _Moment
    who: str
    via: Annotated[str | None, Field(description="`admin-api`, `config-api`; null: an operator's command.")]
    action: str
    result: Annotated[str, Field(description="`done`, `refused: …` or `failed: …`.")]
    detail: Annotated[dict[str, str | int | float | bool], Field(description="Facts by name, never a value.")]


class RecentActions(Answer):
    """What was done last, the newest first."""

    actions: list[RecentAction]


class Evidence(BaseModel):
    """The evidence, as `stream-encryptor report` has it; or the files that it is kept as."""

    model_config = ConfigDict(extra="allow")
