"""Who uses sessions: the user's id, from what API Gateway's authorizer found out. Pure.

======================  =====================================================  ====================================
authorized by           user                                                   refused
======================  =====================================================  ====================================
JWT authorizer          the claim that the setting names                        401 without that claim
IAM, through Cognito    the Cognito identity id                                403 for a guest
IAM user                the user's immutable id, ``AIDA…``
IAM role                ``AROA…:session``, where the role's id is listed       403 for every other role
IAM, anything else                                                             403: root, federated users
======================  =====================================================  ====================================

Ids, never names: a deleted user's name can be given to somebody else. Whoever may assume a role chooses the name of
the session, so for a role that is not listed the name proves nothing, and a listed role vouches for it. The role's id
stays part of the user's id, so that two roles with a session of one name are two users.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from http_api.errors import NotIdentified, NotPermitted
from http_api.identity import is_guest, usable
from http_api.settings import UserSettings

_WHAT: Final = "use sessions"
_IAM_USER: Final = re.compile(r"AIDA[A-Z0-9]+")


def caller(event: Mapping[str, Any], settings: UserSettings) -> str:
    """Return the id of the user that ``event`` (HTTP API, payload 2.0) comes from.

    Raises:
        NotIdentified: it carries no identity, or one that is no usable key.
        NotPermitted: it carries an identity that is not a user's.
    """
    authorizer = event["requestContext"].get("authorizer") or {}
    if authorizer.get("jwt"):
        return usable((authorizer["jwt"].get("claims") or {}).get(settings.user_claim))
    if authorizer.get("iam"):
        return usable(_iam_user(authorizer["iam"], settings.trusted_role_ids))
    raise NotIdentified


def _iam_user(iam: Mapping[str, Any], trusted_role_ids: frozenset[str]) -> Any:
    cognito = iam.get("cognitoIdentity") or {}
    if identity_id := cognito.get("identityId"):
        if is_guest(cognito):
            raise NotPermitted(usable(identity_id), _WHAT)
        return identity_id
    user_id = usable(iam.get("userId"))
    role_id, is_role, _ = user_id.partition(":")
    if _IAM_USER.fullmatch(user_id) or (is_role and role_id in trusted_role_ids):
        return user_id
    raise NotPermitted(user_id, _WHAT)
