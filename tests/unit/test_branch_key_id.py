"""Which branch key an item needs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_crypto.errors import ConfigurationError, ContextUnusable
from item_crypto.keys.branch_key_id import Tenants, is_branch_key_id

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
BY_USER = Tenants("userId", "session-encryption")


def context(user: str, **more: str) -> dict[str, str]:
    return {"userId": user, "sessionId": "dlg-1", "purpose": "session-encryption", **more}


@given(ANY_TEXT)
def test_any_text_when_it_is_a_tenant_then_its_identifier_is_short_and_plain_and_its_own(text: str) -> None:
    found = BY_USER.of_context(context(text))

    assert is_branch_key_id(found)
    assert found == BY_USER.branch_key_id(text)
    assert text not in found or len(text) < 8  # Nobody reads the tenant in it.


@given(ANY_TEXT, ANY_TEXT)
def test_two_tenants_when_they_differ_at_all_then_so_do_their_identifiers(one: str, other: str) -> None:
    assert (BY_USER.branch_key_id(one) == BY_USER.branch_key_id(other)) == (one == other)


def test_identifier_when_it_was_made_by_an_earlier_version_then_it_is_the_same() -> None:
    """Frozen: with another one, everything that is stored would be another tenant's."""
    assert BY_USER.branch_key_id("user-24") == (
        "tenant-5aa995bc2707b361392d1aa2690899675c1d786dd2bb95d73407fd963cd7dac3"
    )
    assert Tenants(None, "session-encryption").branch_key_id("") == (
        "tenant-453c75d96b21b420f66d66771d2bb117fe7d5dcb118eda4dab5e26f027fdc04a"
    )


def test_session_when_the_user_is_the_tenant_then_it_makes_no_difference() -> None:
    assert BY_USER.of_context(context("a", sessionId="1")) == BY_USER.of_context(context("a", sessionId="2"))


@pytest.mark.parametrize(
    "other",
    [
        Tenants("sessionId", "session-encryption"),
        Tenants(None, "session-encryption"),
        Tenants("userId", "other"),
        Tenants("userI", "session-encryption"),
    ],
    ids=["another attribute", "one for all", "another purpose", "a part of a name moved to the tenant"],
)
def test_tenants_when_told_in_another_way_then_no_identifier_is_shared(other: Tenants) -> None:
    texts = ["", "a", "da", "userId"]

    assert not {BY_USER.branch_key_id(text) for text in texts} & {other.branch_key_id(text) for text in texts}


def test_one_for_all_when_asked_then_each_item_has_the_same() -> None:
    tenants = Tenants(None, "session-encryption")

    assert tenants.of_context(context("a")) == tenants.of_context(context("b"))


@pytest.mark.parametrize(
    "lacking",
    [{"purpose": "session-encryption"}, {"userId": "", "purpose": "session-encryption"}, {"userId": "a"}, {},
     {"userId": "a", "purpose": "other"}],
    ids=["no tenant", "an empty one", "no purpose", "nothing", "another purpose"],
)  # fmt: skip
def test_context_when_it_names_no_tenant_of_ours_then_it_is_refused(lacking: dict[str, str]) -> None:
    with pytest.raises(ContextUnusable):
        BY_USER.of_context(lacking)


def test_purpose_when_it_is_to_tell_tenants_apart_then_it_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        Tenants("purpose", "session-encryption")


@pytest.mark.parametrize(
    "text", ["", "tenant-", "tenant-" + "a" * 63, "tenant-" + "A" * 64, "tenant-" + "a" * 64 + "\n", "x" + "a" * 64]
)
def test_text_when_it_has_not_the_shape_then_it_is_no_identifier(text: str) -> None:
    assert not is_branch_key_id(text)
