"""A judgement as it is shown: one sentence, and the items by state."""

from typing import Any

from evidence.counted import counted
from evidence.sweep import FAILURES, Sweep
from evidence.verdict import STATE_WORDS, Judgement, Verdict


def summary(sweep: Sweep, judged: Judgement) -> dict[str, Any]:
    """Return a judged verification as a JSON document.

    ::

        {"verdict": "not-as-it-should-be",
         "sentence": "Not as it should be: of 710 items, 1 in plaintext.",
         "findings": ["1 item in plaintext.", …],       everything that is not as it should be
         "otherFindings": [],                           those of them that are no count of items by state
         "states": [{"state": "plaintext", "words": "in plaintext", "items": 1, "wrong": true}, …]}
    """
    others = [name for name in sweep.counts if name not in STATE_WORDS]
    return {
        "verdict": judged.verdict.value,
        "sentence": sentence(sweep, judged),
        "findings": list(judged.findings),
        "otherFindings": list(judged.other_findings),
        "states": [
            {
                "state": name,
                "words": STATE_WORDS.get(name, name),
                "items": sweep.counts.get(name, 0),
                "wrong": name in judged.wrong or (name in FAILURES and sweep.counts.get(name, 0) > 0),
            }
            for name in (*STATE_WORDS, *others)
        ],
    }


def sentence(sweep: Sweep, judged: Judgement) -> str:
    """Return the verdict with what it rests on; only one that decrypted every value goes without "by the headers"."""
    if judged.verdict is Verdict.FINDINGS:
        found = ", ".join(f"{number:,} {STATE_WORDS[name]}" for name, number in judged.wrong.items())
        return f"Not as it should be: of {counted(sweep.scanned, 'item')}, {found or 'none is in a wrong state'}."
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
