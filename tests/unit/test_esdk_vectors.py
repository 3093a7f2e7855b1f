"""The AWS Encryption SDK's own vectors: which messages are read, which refused, and with which error, as frozen."""

import json
import warnings
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.vectors import esdk

FROZEN: Final[dict[str, list[str]]] = json.loads(Path(esdk.__file__).with_name("esdk.json").read_text())


@pytest.fixture(scope="module")
def messages() -> dict[str, esdk.Message]:
    """All messages by name; skipped, loudly, where the files are not."""
    if not esdk.directory().is_dir():
        warnings.warn("the AWS Encryption SDK's vectors are not there: THEY WERE NOT TRIED", stacklevel=1)
        pytest.skip("NOT RUN: ESDK_VECTORS names no folder with the AWS Encryption SDK's vectors")
    return dict(esdk.messages())


def test_every_vector_then_its_outcome_is_the_frozen_one(messages: dict[str, esdk.Message]) -> None:
    outcomes = {name: list(esdk.outcome(message).values()) for name, message in messages.items()}

    assert outcomes == FROZEN


def test_frozen_outcomes_then_nothing_that_must_be_refused_is_decrypted(messages: dict[str, esdk.Message]) -> None:
    bad = [name for name, message in messages.items() if message.plaintext is None]

    assert Counter(name.partition("/")[0] for name in bad) == {"commitment": 5, "invalid": 28}
    assert [name for name in bad if FROZEN[name][1] in ("decrypted", "other content", "no key")] == []
    assert [name for name in bad if FROZEN[name][0] == "read as current"] == []


def test_frozen_outcomes_then_every_committing_message_with_a_given_key_is_decrypted() -> None:
    # Needs no files: it is what the frozen results say.
    told = Counter((name.partition("/")[0], *outcome) for name, outcome in FROZEN.items())

    assert told == {
        ("commitment", "read as current", "decrypted"): 26,
        ("commitment", "unknown-form", "decrypted"): 15,
        ("commitment", "unknown-form", "MasterKeyProviderError"): 5,
        ("invalid", "unknown-form", "ActionNotAllowedError"): 24,
        ("invalid", "unknown-form", "SerializationError"): 4,
        ("valid", "read as current", "no key"): 6,
        ("valid", "unknown-form", "ActionNotAllowedError"): 27,
        ("valid", "unknown-form", "decrypted"): 6,
        ("valid", "unknown-form", "no key"): 93,
    }
