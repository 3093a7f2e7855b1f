"""What a verification says of its table: judged by the setting and by the list of attributes. Pure.

A count of nothing is no good count. A table in which no item has a configured attribute looks clean, whatever is in it,
so each such emptiness is a finding of its own, which only the operator's word can take away.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from evidence.counted import counted
from evidence.sweep import Sweep
from item_crypto.core.part import in_words

STATE_WORDS: Final = {
    "plaintext": "in plaintext",
    "mixed": "partly in plaintext",
    "encrypted": "encrypted",
    "oldForm": "encrypted in the old form",
    "conflicts": "with a conflict to look at",
    "undecryptable": "that cannot be decrypted",
    "shredded": "whose key was destroyed",
    "none": "without anything to encrypt",
}
"""The states that `verify` counts, for people, in the order of showing."""

_EACH_ITEM: Final = tuple(name for name in STATE_WORDS if name != "conflicts")  # That is counted beside a state.
_WRONG_WHEN_ON: Final = ("plaintext", "mixed", "oldForm", "conflicts", "undecryptable")
_WRONG_WHEN_OFF: Final = ("mixed", "encrypted", "oldForm", "conflicts", "undecryptable")


class Verdict(Enum):
    """What it comes to. One that only read headers never says what one that decrypted every value says.

    Nor does one of a part ever say what one of the whole table says.
    """

    VERIFIED = "as-it-should-be"
    BY_HEADERS = "as-it-should-be-by-headers"
    PART_VERIFIED = "part-as-it-should-be"
    PART_BY_HEADERS = "part-as-it-should-be-by-headers"
    FINDINGS = "not-as-it-should-be"


@dataclass(frozen=True)
class Wanted:
    """What the table is judged by.

    Attributes:
        enabled: whether encryption is on, for all items or for ``part``.
        setting_version: the setting's version.
        attributes: the attributes to encrypt.
        may_be_absent: names whose absence, or whose ciphertext though they are not listed, the operator expects.
        part: the part that encryption is on for, in words; None where it is on or off for all.
        changed: what was changed after the verification began, beside the setting, a sentence each: what was counted
            says nothing of what is now.
    """

    enabled: bool
    setting_version: int | None
    attributes: tuple[str, ...]
    may_be_absent: Collection[str] = frozenset()
    part: str | None = None
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """A verification, judged.

    Attributes:
        verdict: what it comes to.
        wrong: how many items are in a state that they should not be in; of the part, where there is one.
        wrong_outside: the same, of the items outside of the part.
        blind: what was not seen at all, a sentence each: nothing follows from the counts.
        findings: everything that is not as it should be, a sentence each; these two included.
        by: what it was judged by.
    """

    verdict: Verdict
    wrong: Mapping[str, int]
    wrong_outside: Mapping[str, int]
    blind: tuple[str, ...]
    findings: tuple[str, ...]
    by: Wanted

    @property
    def other_findings(self) -> tuple[str, ...]:
        """The findings that are no count of items by state."""
        of_states = [*_of_states(self.wrong, self.by), *_of_states_outside(self.wrong_outside)]
        return tuple(finding for finding in self.findings if finding not in of_states)


def wanted(
    status: Mapping[str, Any], may_be_absent: Collection[str] = frozenset(), changed: Iterable[str] = ()
) -> Wanted:
    """Return what a table is judged by, from the control function's answer to `status` and what was changed since."""
    setting = status.get("setting") or {}
    # What is unknown is judged as if encryption were on, which finds more.
    enabled = setting.get("enabled") is not False
    part = in_words(setting["part"]) if enabled and setting.get("part") is not None else None
    attributes = tuple(status.get("attributes") or ())
    return Wanted(enabled, setting.get("version"), attributes, may_be_absent, part, tuple(changed))


def judge(sweep: Sweep, by: Wanted) -> Judgement:
    """Judge a verification; one that did not end is never as it should be."""
    counts, outside = sweep.counts, sweep.outside
    if by.part is None:
        # There may have been a part when it was counted: nothing that was outside is left out now.
        counts, outside = {name: counts.get(name, 0) + outside.get(name, 0) for name in {**counts, **outside}}, {}
    states = _WRONG_WHEN_ON if by.enabled else _WRONG_WHEN_OFF
    wrong = {name: counts[name] for name in states if counts.get(name)}
    wrong_outside = {name: outside[name] for name in _WRONG_WHEN_OFF if outside.get(name)}
    blind = tuple(_blind(sweep, by))
    findings = tuple(_findings(sweep, by, [*_of_states(wrong, by), *_of_states_outside(wrong_outside)], blind))
    return Judgement(_verdict(findings, sweep, by), wrong, wrong_outside, blind, findings, by)


def inside(sweep: Sweep) -> int:
    """Return how many items of a verification were in the part; all of them where there was none."""
    return sweep.scanned - sum(sweep.outside.get(name, 0) for name in _EACH_ITEM)


def _verdict(findings: Collection[str], sweep: Sweep, by: Wanted) -> Verdict:
    if findings:
        return Verdict.FINDINGS
    if by.part is None:
        return Verdict.VERIFIED if sweep.deep else Verdict.BY_HEADERS
    return Verdict.PART_VERIFIED if sweep.deep else Verdict.PART_BY_HEADERS


def _findings(sweep: Sweep, by: Wanted, of_states: Collection[str], blind: tuple[str, ...]) -> Iterator[str]:
    if sweep.setting_version is not None and by.setting_version != sweep.setting_version:
        yield "The setting was changed after the verification began."
    yield from by.changed
    if sweep.state != "done":
        yield f"The verification did not end: it is {sweep.state}."
    yield from of_states
    if failed := sweep.counts.get("failed"):
        yield f"{counted(failed, 'item')} could not be looked at."
    if sweep.deep and sweep.values_decrypted < sweep.values_seen:
        verb = "was" if sweep.values_decrypted == 1 else "were"
        yield f"Of {counted(sweep.values_seen, 'encrypted value')}, {sweep.values_decrypted:,} {verb} decrypted."
    yield from blind
    for name, number in sweep.strays.items():
        if name not in by.may_be_absent:
            verb = "has" if number == 1 else "have"
            yield (
                f"{counted(number, 'item')} {verb} ciphertext in {name}, which no listed attribute is behind: nobody "
                "decrypts it. List the attribute in EncryptedAttributes or EarlierAttributes."
            )


def _of_states(wrong: Mapping[str, int], by: Wanted) -> list[str]:
    off = "" if by.enabled else ", though encryption is off"
    return [f"{counted(number, 'item')} {STATE_WORDS[state]}{off}." for state, number in wrong.items()]


def _of_states_outside(wrong: Mapping[str, int]) -> list[str]:
    numbers = {STATE_WORDS[state]: counted(number, "item") for state, number in wrong.items()}
    return [f"{number} {words}, though outside of the part." for words, number in numbers.items()]


def _blind(sweep: Sweep, by: Wanted) -> Iterator[str]:
    expected = [name for name in by.attributes if name not in by.may_be_absent]
    if sweep.state == "done" and not sweep.scanned:
        if expected or not by.attributes:
            yield "The table is empty: nothing was looked at."
        return
    if sweep.state == "done" and by.part is not None:
        if not inside(sweep):
            yield f"No item is in the part ({by.part}): nothing of it was looked at."
        elif expected and sweep.counts.get("none", 0) == inside(sweep):
            # Where an attribute is, is counted over the whole table: what the others have says nothing of the part.
            yield f"No item of the part ({by.part}) has anything to encrypt: nothing was verified."
    for name in by.attributes:
        places = sweep.attributes.get(name) or {}
        looked_at = sum(places.values())
        if not looked_at:
            yield f"The attribute {name} was not looked at: it was not listed then. Verify again."
        elif looked_at < sweep.scanned:
            yield (
                f"The attribute {name} was looked at in {looked_at:,} of {counted(sweep.scanned, 'item')}: it was "
                "listed meanwhile. Verify again."
            )
        elif name in expected and not places.get("plaintext") and not places.get("encrypted"):
            yield f"No item has the attribute {name}: is that its name?"
