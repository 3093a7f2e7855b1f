import re

import pytest

from item_crypto import (
    ConfigurationError,
    ContextUnusable,
    DecryptionFailed,
    ItemCryptoError,
    ItemTooLarge,
    KeyNotListed,
    PermanentError,
    SystemicError,
    TransientError,
    UnknownForm,
    errors,
)


def classes() -> list[type[ItemCryptoError]]:
    return [
        member
        for member in vars(errors).values()
        if isinstance(member, type) and issubclass(member, ItemCryptoError) and member is not ItemCryptoError
    ]


@pytest.mark.parametrize("error", classes(), ids=lambda error: error.__name__)
def test_error_of_the_package_when_met_then_its_class_tells_what_to_do_next(error: type[ItemCryptoError]) -> None:
    assert sum(issubclass(error, kind) for kind in (PermanentError, TransientError, SystemicError)) == 1


@pytest.mark.parametrize("error", classes(), ids=lambda error: error.__name__)
def test_error_of_the_package_when_logged_then_its_reason_is_a_kebab_case_word(error: type[ItemCryptoError]) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.reason)


def test_permanent_errors_when_told_apart_then_each_has_its_own_reason() -> None:
    reasons = [error.reason for error in classes() if issubclass(error, PermanentError)]

    assert len(reasons) == len(set(reasons))


@pytest.mark.parametrize("error", classes(), ids=lambda error: error.__name__)
def test_tree_in_the_documentation_when_read_then_it_shows_every_class(error: type[ItemCryptoError]) -> None:
    assert re.search(rf"── {error.__name__}\b", errors.__doc__ or "")


def test_attributes_when_an_error_is_made_then_they_are_typed_and_not_only_text() -> None:
    assert ItemTooLarge("too large", 500_000).size == 500_000
    assert ContextUnusable("missing", "userId").attribute == "userId"
    assert (TransientError("kms", "Throttling").service, SystemicError("kms", "Disabled").code) == ("kms", "Disabled")
    assert DecryptionFailed("context-mismatch").detail == "context-mismatch"
    assert (KeyNotListed().detail, KeyNotListed().reason) == ("key-not-listed", "key-not-listed")
    assert ConfigurationError("refused").service == "configuration"
    assert str(ConfigurationError("refused")) == "refused"
    assert UnknownForm.reason == "unknown-form"


def test_failed_decryption_when_shown_then_it_does_not_tell_why() -> None:
    assert "context" not in str(DecryptionFailed("context-mismatch"))
