"""What a sweep asks for, as a policy; and whether the setting allows it, and still does."""

from dataclasses import replace

from encryptor_runtime.messages import Aim, Goal
from item_crypto.core.policy import Policy


def policy_for(aim: Aim | None, policy: Policy) -> Policy:
    """Return ``policy`` with what ``aim`` asks of the migrator; a key without a goal asks for nothing more."""
    match aim:
        case Aim(goal=Goal.DECRYPT):
            # To what is outside of a part, encryption is off; to all else this says nothing.
            return replace(policy, decrypt_all=not policy.enabled or policy.part is not None)
        case Aim(goal=Goal.REENCRYPT):
            return replace(policy, renew_before=aim.older_than)
    return policy


def forbids(goal: Goal, enabled: bool) -> bool:
    """Tell whether the setting forbids a sweep: ``decrypt`` needs it off, ``encrypt`` and ``re-encrypt`` on.

    On for a part is on: these touch no other items then.
    """
    return goal is not Goal.VERIFY and (goal is Goal.DECRYPT) == enabled


def still_allows(goal: Goal, began_at: int, version: int, enabled: bool) -> bool:
    """Tell whether a sweep that began at one version of the setting may go on at another, or the same.

    ``verify`` always may. At one version the setting can differ too: at version 0, it is what a deployment says.
    """
    return goal is Goal.VERIFY or (version == began_at and not forbids(goal, enabled))
