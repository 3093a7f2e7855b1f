"""What is kept of a command that changes or reveals something: facts, never a value of an item. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from encryptor_runtime.actions import Fact

_ASKED: Final[Mapping[str, tuple[str, ...]]] = {
    "start": ("goal", "segments", "rate", "olderThanDays", "deep", "force"),
    "pause": ("sweep",),
    "resume": ("sweep",),
    "cancel": ("sweep",),
    "set-rate": ("sweep", "rate"),
    "set-config": ("enabled", "version"),
    "redrive": ("max",),
    "discard": ("id", "reason"),
    # Which item it was, the audit line says; whoever may read the recent actions need not learn it.
    "decrypt-item": (),
    # Nor whose key it is: the identifier tells it to whoever knows the tenant.
    "make-branch-key": (),
    "rotate-branch-key": (),
    "shred-tenant": (),
}
"""The commands that are kept, and the fields of each that are."""

_ANSWERED: Final[Mapping[str, tuple[str, ...]]] = {
    "redrive": ("done", "again", "remaining"),
    "make-branch-key": ("made",),
    "shred-tenant": ("shredded",),
}


def detail(command: str, event: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Fact] | None:
    """Return what is kept of a command beside who and when; None for one that only shows.

    Args:
        command: the command.
        event: the command's fields, checked or not: what has no simple type is left out.
        answer: the answer; empty where there is none.
    """
    if command not in _ASKED or answer.get("shredded") is False:
        return None  # The look before a destruction, page after page, changes nothing.
    facts = {name: event.get(name) for name in _ASKED[command]}
    facts |= {name: answer.get(name) for name in _ANSWERED.get(command, ())}
    match event.get("part"):
        # How large a part is, and never whose: keys can name persons.
        case {"buckets": int(number)}:
            facts["buckets"] = number
        case {"keys": list(keys)}:
            facts["listedKeys"] = len(keys)
    match answer:
        case {"sweep": {"id": sweep_id}} | {"sweep": str(sweep_id)}:
            facts["sweep"] = sweep_id
        case {"branchKey": {"branchKeyId": str(branch_key_id)}}:
            facts["branchKeyId"] = branch_key_id
        case {"setting": {"version": version}}:
            facts["newVersion"] = version
    return {name: fact for name, fact in facts.items() if isinstance(fact, bool | int | float | str)}
