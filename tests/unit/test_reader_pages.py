"""Tokens that lead to the next page."""

import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from http_api.errors import BadRequest
from item_crypto.core.codec import Value
from reader.pages import from_token, to_token

KEY: dict[str, Value] = {
    "sessionId": {"S": "dlg-1"},
    "userId": {"S": "alice"},
    "startTime": {"S": "2026-01-02T08:00:00+00:00"},
}
TOKEN = to_token("alice", KEY)


@given(st.text(min_size=1), st.text())
def test_given_a_place_when_it_goes_through_a_token_then_it_is_the_same(user: str, session_id: str) -> None:
    key: dict[str, Value] = {
        "sessionId": {"S": session_id},
        "userId": {"S": user},
        "startTime": {"N": "7"},
        "b": {"B": b"\x00"},
    }

    assert from_token(user, to_token(user, key)) == key


def test_given_a_token_when_looked_at_then_it_is_safe_in_a_url_and_names_no_user() -> None:
    assert set(TOKEN) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert b"alice" not in base64.urlsafe_b64decode(TOKEN + "=" * (-len(TOKEN) % 4))


def test_given_somebody_elses_token_when_used_then_it_is_refused() -> None:
    with pytest.raises(BadRequest) as refused:
        from_token("bob", TOKEN)

    assert refused.value.field == "nextToken"


def test_given_any_flipped_bit_when_the_token_is_used_then_it_is_refused() -> None:
    data = base64.urlsafe_b64decode(TOKEN + "=" * (-len(TOKEN) % 4))
    for position in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << position % 8
        with pytest.raises(BadRequest):
            from_token("alice", base64.urlsafe_b64encode(bytes(flipped)).decode().rstrip("="))


def packed(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(2) + part for part in parts)


def forged(content: bytes) -> str:
    digest = hmac.digest(b"alice", content, "sha256")
    return base64.urlsafe_b64encode(digest + content).decode().rstrip("=")


def test_given_any_other_character_when_the_token_is_used_then_it_is_refused() -> None:
    for position, character in enumerate(TOKEN):
        other = "A" if character != "A" else "B"
        for changed in (other, chr(ord(character) ^ 1)):
            with pytest.raises(BadRequest):
                from_token("alice", TOKEN[:position] + changed + TOKEN[position + 1 :])


@pytest.mark.parametrize(
    "token",
    [
        "",
        "A",
        "AAAA",
        TOKEN[:-1],
        TOKEN + "AAAA",
        "no base64 at all!",
        "é",
        TOKEN.replace("-", "+").replace("_", "/") + "+",
        forged(b"[]"),
        forged(b"\x00"),
        forged(packed(b"sessionId", b"S", b"dlg-1")[:-1]),
        forged(packed(b"sessionId", b"S")),
        forged(packed(b"sessionId", b"SS", b"dlg-1")),
        forged(packed(b"sessionId", b"N", b"one")),
        forged(packed(b"sessionId", b"S", b"\xff")),
        forged(packed(b"sessionId", b"S", b"x" * 60_000)),
        "A" * 5_000_000,
    ],
)
def test_given_what_is_no_token_when_used_then_it_is_refused(token: str) -> None:
    with pytest.raises(BadRequest):
        from_token("alice", token)


def test_given_a_token_forged_for_oneself_when_it_names_another_user_then_the_caller_stays_the_user() -> None:
    place = packed(b"sessionId", b"S", b"dlg-9", b"userId", b"S", b"bob")

    assert from_token("alice", forged(place)) == {"sessionId": {"S": "dlg-9"}, "userId": {"S": "alice"}}


@pytest.mark.parametrize("character", ["\x01", '"', "é", "a", "\\"])
def test_given_the_longest_ids_when_the_token_is_made_then_it_fits_into_a_request_line(character: str) -> None:
    count = 2048 // len(character.encode())
    key: dict[str, Value] = {
        "sessionId": {"S": character * count},
        "userId": {"S": "u" * 1024},
        "startTime": {"S": character * (count // 2)},
    }
    token = to_token("u" * 1024, key)

    assert from_token("u" * 1024, token) == key
    assert len(token) <= 4_300
    # With a bearer token of 4 KB and what else a browser sends, below API Gateway's 10,240 bytes.
    assert len(f"GET /session?limit=100&nextToken={token} HTTP/1.1") + 4096 + 1500 < 10_240
