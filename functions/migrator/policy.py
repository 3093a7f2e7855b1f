"""What a sweep asks for, as a policy; and whether the setting allows it."""

from dataclasses import replace

from encryptor_runtime.messages import Aim, Goal
from item_crypto.core.policy import Policy


def policy_for(aim: Aim | None, policy: Policy) -> Policy:
    """Return ``policy`` with what ``aim`` asks of the migrator; a key without a goal asks for nothing more."""
    match aim:
        case Aim(goal=Goal.DECRYPT):
            return replace(policy, decrypt_all=not policy.enabled)
        case Aim(goal=Goal.REENCRYPT):
            return replace(policy, renew_before=aim.older_than)
    return policy


def forbids(goal: Goal, enabled: bool) -> bool:
    """Tell whether the setting forbids a sweep: ``decrypt`` needs it off, ``encrypt`` and ``re-encrypt`` on."""
    return goal is not Goal.VERIFY and (goal is Goal.DECRYPT) == enabled
