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

from admin.groups import groups
from admin.settings import AdminSettings
from http_api.errors import NotIdentified, NotPermitted
from http_api.identity import is_guest, usable

READ: Final = "read-config"
"""The one operation that takes no administrator."""


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


def permitted(event: Mapping[str, Any], operation: str, settings: AdminSettings) -> str:
    """Return the id of the user that ``event`` (HTTP API, payload 2.0) comes from, if they may do ``operation``.

    Raises:
        NotIdentified: it carries no identity, or one that is no usable id.
        NotPermitted: they may not.
    """
    found = caller(event, settings)
    if not (found.may_read if operation == READ else found.may_change):
        raise NotPermitted(found.user, "do this")
    return found.user


def caller(event: Mapping[str, Any], settings: AdminSettings) -> Caller:
    """Return who ``event`` (HTTP API, payload 2.0) comes from.

    Raises:
        NotIdentified: it carries no identity, or one that is no usable id.
    """
    authorizer = event["requestContext"].get("authorizer") or {}
    if jwt := authorizer.get("jwt"):
        claims = jwt.get("claims") or {}
        administrator = settings.group in groups(settings.group_claim, claims.get(settings.group_claim))
        return Caller(usable(claims.get(settings.user_claim)), may_change=administrator)
    if iam := authorizer.get("iam"):
        cognito = iam.get("cognitoIdentity") or {}
        return Caller(usable(cognito.get("identityId") or iam.get("userId")), may_read=not is_guest(cognito))
    raise NotIdentified
