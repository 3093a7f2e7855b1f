"""What a sweep asks for, as a policy; and whether the setting allows it."""

from dataclasses import replace
from datetime import datetime

from item_crypto.core.policy import Policy
from migrator.sweeps import Goal


def policy_for(goal: Goal | None, older_than: datetime | None, policy: Policy) -> Policy:
    """Return ``policy`` with what ``goal`` asks of the migrator; None, a deferred key, asks for nothing more."""
    if goal is Goal.DECRYPT:
        return replace(policy, decrypt_all=not policy.enabled)
    if goal is Goal.REENCRYPT:
        return replace(policy, renew_before=older_than)
    return policy


def forbids(goal: Goal, enabled: bool) -> bool:
    """Tell whether the setting forbids a sweep: ``decrypt`` needs it off, ``encrypt`` and ``re-encrypt`` on."""
    return goal is not Goal.VERIFY and (goal is Goal.DECRYPT) == enabled
