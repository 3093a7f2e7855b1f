import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.tokens import AUDIENCE, ISSUER, TokenKey, TokenRefusedError


def test_the_key_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    directory = tmp_path / "state"
    first = TokenKey.in_directory(directory)
    second = TokenKey.in_directory(directory)
    assert second.verify(first.issue("alice"), issuer=ISSUER, audience=[AUDIENCE])["sub"] == "alice"
    assert stat.S_IMODE((directory / "token-key.pem").stat().st_mode) == 0o600
    assert [file.name for file in directory.iterdir()] == ["token-key.pem"]


def test_processes_that_race_for_the_key_agree(tmp_path):
    with ThreadPoolExecutor(4) as executor:
        keys = list(executor.map(lambda _: TokenKey.in_directory(tmp_path), range(4)))
    for key in keys:
        assert keys[0].verify(key.issue("alice"), issuer=ISSUER, audience=[AUDIENCE])


def test_an_administrator_is_in_the_group(tmp_path):
    key = TokenKey.in_directory(tmp_path)
    claims = key.verify(key.issue("root", admin=True), issuer=ISSUER, audience=[AUDIENCE])
    assert claims["cognito:groups"] == ["admin"]
    assert claims["exp"] - claims["iat"] == 12 * 3600


def test_a_token_of_another_key_is_refused(tmp_path):
    key, other = TokenKey.in_directory(tmp_path / "a"), TokenKey.in_directory(tmp_path / "b")
    with pytest.raises(TokenRefusedError):
        key.verify(other.issue("alice"), issuer=ISSUER, audience=[AUDIENCE])
