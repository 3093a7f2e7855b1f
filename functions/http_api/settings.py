"""The setting that every function behind the HTTP API has; template.yaml sets it."""

from collections.abc import Mapping

from encryptor_runtime.settings import required


def user_claim(environment: Mapping[str, str]) -> str:
    """Return the name of the token's claim that names the user: ``sub``, which an issuer gives out, by default.

    Raises:
        ConfigurationError: it is set to nothing.
    """
    return required({"USER_CLAIM": "sub", **environment}, "USER_CLAIM")
