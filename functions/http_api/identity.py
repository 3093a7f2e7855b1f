"""What every function asks of an identity that API Gateway's authorizer found out. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from http_api.errors import NotIdentified

_MAX_BYTES: Final = 1024  # Of a range key (DynamoDB, "Service quotas"), which the user of a session is.
_GUEST: Final = "unauthenticated"  # Amazon Cognito's word in ``amr`` for whoever did not log in.


def is_guest(cognito: Mapping[str, Any]) -> bool:
    """Tell whether ``cognitoIdentity`` of an IAM authorizer is of somebody who did not log in."""
    return _GUEST in (cognito.get("amr") or ())


def usable(user_id: object) -> str:
    """Return ``user_id``.

    Raises:
        NotIdentified: it is no text, empty, over 1024 bytes, or not Unicode.
    """
    if not isinstance(user_id, str) or not user_id:
        raise NotIdentified
    try:
        size = len(user_id.encode())
    except UnicodeEncodeError:
        raise NotIdentified from None
    if size > _MAX_BYTES:
        raise NotIdentified
    return user_id
