"""Bearer tokens for the local API, signed with a key that stays in `.local/`."""

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from jwt.utils import base64url_encode

ISSUER = "https://issuer.local.test"
AUDIENCE = "local"
LIFETIME = 12 * 3600
"""Seconds a token lives unless told otherwise."""
SIGN_IN_LIFETIME = 3600
"""The same of a token that a page gets by signing in, and renews."""

ALGORITHM = "RS256"
"""Of signatures; API Gateway's JWT authorizers take RSA only."""


class TokenRefusedError(Exception):
    """A token that is malformed, expired, not signed by the local key, or meant for somebody else."""


class TokenKey:
    """The key pair that signs and checks tokens."""

    def __init__(self, private_key: rsa.RSAPrivateKey) -> None:
        """Take the private key."""
        self._private_key = private_key
        key = RSAAlgorithm.to_jwk(private_key.public_key(), as_dict=True)
        # RFC 7638: the hash of the required members, in this order.
        thumbprint = json.dumps({name: key[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
        kid = base64url_encode(hashlib.sha256(thumbprint.encode()).digest()).decode()
        self._public_key = {"kty": key["kty"], "n": key["n"], "e": key["e"], "use": "sig", "alg": ALGORITHM, "kid": kid}

    @classmethod
    def in_directory(cls, directory: Path) -> "TokenKey":
        """Read the key from `token-key.pem`, created with mode 0600 by whoever needs it first."""
        path = directory / "token-key.pem"
        if not path.exists():
            _create(path)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(f"{path} is not an RSA key")
        return cls(key)

    def issue(
        self,
        user: str,
        *,
        admin: bool = False,
        issuer: str = ISSUER,
        audience: str = AUDIENCE,
        lifetime: float = LIFETIME,
        access: bool = False,
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """Return a token whose `sub` is the user; an admin's has `cognito:groups: ["admin"]`.

        `access` makes it as Amazon Cognito's access tokens are: they name the app by `client_id` and have no `aud`.
        `claims` are more of them.
        """
        now = int(time.time())
        content: dict[str, Any] = {
            **(claims or {}),
            "sub": user,
            "iss": issuer,
            "client_id" if access else "aud": audience,
            "iat": now,
            "exp": now + int(lifetime),
        }
        if admin:
            content["cognito:groups"] = ["admin"]
        return jwt.encode(content, self._private_key, algorithm=ALGORITHM, headers={"kid": self._public_key["kid"]})

    def public_keys(self) -> dict[str, Any]:
        """Return what checks the tokens, as a JSON Web Key Set."""
        return {"keys": [self._public_key]}

    def verify(self, token: str, *, issuer: str, audience: list[str], may_be_expired: bool = False) -> dict[str, Any]:
        """Return the claims of a valid token; raise `TokenRefusedError` for any other.

        As API Gateway's JWT authorizers do, the audience is looked for in `aud`, and in `client_id` only where there
        is no `aud`.
        """
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._private_key.public_key(),
                algorithms=[ALGORITHM],
                issuer=issuer,
                options={"require": ["exp", "iss"], "verify_aud": False, "verify_exp": not may_be_expired},
            )
        except jwt.InvalidTokenError as error:
            raise TokenRefusedError(type(error).__name__) from error
        named = claims["aud"] if "aud" in claims else claims.get("client_id")
        if not set(audience) & set(named if isinstance(named, list) else [named]):
            raise TokenRefusedError("InvalidAudienceError")
        return claims


def _create(path: Path) -> None:
    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        # A link never replaces: when two processes race, both end up with the key of the first.
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
    finally:
        os.unlink(temporary)
