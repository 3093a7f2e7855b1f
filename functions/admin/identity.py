"""Who calls, and what that allows, from what API Gateway's authorizer found out. Pure.

=======================  ===========================  ============  =====================
authorized by            user                         may read      may change
=======================  ===========================  ============  =====================
JWT authorizer           the claim of the setting     yes           administrators' group
IAM, through Cognito     the Cognito identity id      not a guest   no
IAM                      ``userId``                   yes           no
anything else                                         no            no
=======================  ===========================  ============  =====================

A signature says nothing of groups. Operators with IAM rights change the setting through the control function, whose
invocation IAM can grant by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from admin.errors import NotIdentified
from admin.groups import groups
from admin.settings import AdminSettings

_MAX_BYTES: Final = 1024  # As for the user of a session.
_GUEST: Final = "unauthenticated"  # Amazon Cognito's word in ``amr`` for whoever did not log in.


@dataclass(frozen=True)
class Caller:
    """Who calls.

    Attributes:
        user: the user's id.
        may_read: whether they may see the setting.
        may_change: whether they may change it.
    """

    user: str
    may_read: bool = True
    may_change: bool = False


def caller(event: Mapping[str, Any], settings: AdminSettings) -> Caller:
    """Return who ``event`` (HTTP API, payload 2.0) comes from.

    Raises:
        NotIdentified: it carries no identity, or one that is no usable id.
    """
    authorizer = event["requestContext"].get("authorizer") or {}
    if jwt := authorizer.get("jwt"):
        claims = jwt.get("claims") or {}
        administrator = settings.group in groups(settings.group_claim, claims.get(settings.group_claim))
        return Caller(_usable(claims.get(settings.user_claim)), may_change=administrator)
    if iam := authorizer.get("iam"):
        cognito = iam.get("cognitoIdentity") or {}
        guest = _GUEST in (cognito.get("amr") or ())
        return Caller(_usable(cognito.get("identityId") or iam.get("userId")), may_read=not guest)
    raise NotIdentified


def _usable(user: object) -> str:
    if not isinstance(user, str) or not user:
        raise NotIdentified
    try:
        size = len(user.encode())
    except UnicodeEncodeError:
        raise NotIdentified from None
    if size > _MAX_BYTES:
        raise NotIdentified
    return user
