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
from typing import Any

from admin.groups import groups
from admin.settings import AdminSettings
from http_api.errors import NotIdentified
from http_api.identity import is_guest, usable


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
        return Caller(usable(claims.get(settings.user_claim)), may_change=administrator)
    if iam := authorizer.get("iam"):
        cognito = iam.get("cognitoIdentity") or {}
        return Caller(usable(cognito.get("identityId") or iam.get("userId")), may_read=not is_guest(cognito))
    raise NotIdentified
