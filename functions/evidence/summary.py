"""A judgement as it is shown: one sentence, and the items by state."""

from typing import Any

from evidence.counted import counted
from evidence.sweep import FAILURES, Sweep
from evidence.verdict import STATE_WORDS, Judgement, Verdict, inside


def summary(sweep: Sweep, judged: Judgement) -> dict[str, Any]:
    """Return a judged verification as a JSON document.

    ::

        {"verdict": "not-as-it-should-be",
         "sentence": "Not as it should be: of 710 items, 1 in plaintext.",
         "findings": ["1 item in plaintext.", …],       everything that is not as it should be
         "otherFindings": [],                           those of them that are no count of items by state
         "states": [{"state": "plaintext", "words": "in plaintext", "items": 1, "wrong": true}, …]}

    Where encryption is on for a part, the states are those of the part's items, and `outside.plaintext` and so on
    follow for the others.
    """
    others = [name for name in sweep.counts if name not in STATE_WORDS]
    in_part = "" if judged.by.part is None else ", in the part"
    return {
        "verdict": judged.verdict.value,
        "sentence": sentence(sweep, judged),
        "findings": list(judged.findings),
        "otherFindings": list(judged.other_findings),
        "states": [
            {
                "state": name,
                "words": STATE_WORDS.get(name, name) + in_part,
                "items": sweep.counts.get(name, 0),
                "wrong": name in judged.wrong or (name in FAILURES and sweep.counts.get(name, 0) > 0),
            }
            for name in (*STATE_WORDS, *others)
        ]
        + [
            {
                "state": f"outside.{name}",
                "words": f"{STATE_WORDS[name]}, outside of the part",
                "items": sweep.outside.get(name, 0),
                "wrong": name in judged.wrong_outside,
            }
            for name in STATE_WORDS
            if judged.by.part is not None
        ],
    }


def sentence(sweep: Sweep, judged: Judgement) -> str:
    """Return the verdict with what it rests on; only one that decrypted every value goes without "by the headers"."""
    if judged.verdict is Verdict.FINDINGS:
        wrong = [f"{number:,} {STATE_WORDS[name]}" for name, number in judged.wrong.items()]
        others = judged.wrong_outside.items()
        outside = [f"{number:,} {STATE_WORDS[name]} outside of the part" for name, number in others]
        found = ", ".join([*wrong, *outside]) or "none is in a wrong state"
        return f"Not as it should be: of {counted(sweep.scanned, 'item')}, {found}."
    if judged.by.part is not None:
        return _of_part(sweep, judged, judged.by.part)
    off = not judged.by.enabled
    looked = f"{counted(sweep.scanned, 'item')}, "
    if off:
        looked = f"encryption is off, and {looked}"
    clean = "nothing is encrypted" if off else "no plaintext and no old form"
    if judged.verdict is Verdict.VERIFIED:
        return f"As it should be: {looked}{counted(sweep.values_decrypted, 'value')} decrypted, {clean}."
    return (
        f"As it should be by the headers: {looked}{counted(sweep.values_seen, 'value')}, {clean}. None was decrypted: "
        "`verify --deep` does that."
    )


def _of_part(sweep: Sweep, judged: Judgement, part: str) -> str:
    """Return the verdict on a part, which says of the other items that it says nothing of them."""
    number = inside(sweep)
    others = f"the other {sweep.scanned - number:,} of {counted(sweep.scanned, 'item')}"
    rest = f"This says nothing of {others}, which stay in plaintext."
    looked = f"{part}, {counted(number, 'item')} of {sweep.scanned:,}"
    clean = "no plaintext and no old form in it"
    if judged.verdict is Verdict.PART_VERIFIED:
        decrypted = counted(sweep.values_decrypted, "value")
        return f"The part is as it should be: {looked}, {decrypted} decrypted, {clean}. {rest}"
    seen = counted(sweep.values_seen, "value")
    return (
        f"The part is as it should be by the headers: {looked}, {seen}, {clean}. None was decrypted: `verify --deep` "
        f"does that. {rest}"
    )
