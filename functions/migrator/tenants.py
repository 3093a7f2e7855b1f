"""The commands about branch keys: listed, made, rotated, and a tenant's destroyed."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from item_crypto.errors import ConfigurationError, InvalidRequest, KeyDestroyed, KeyNotReady
from migrator import requests, views
from migrator.application import Application
from migrator.requests import Refused
from migrator.shredding import SECONDS, WORDS, Look, Looked, copies, is_tenant

if TYPE_CHECKING:
    from item_crypto.keys.branch_keys import BranchKeys


class TenantCommands:
    """Carries out commands about branch keys; each raises as `migrator.commands.Commands` does.

    Args:
        parts: the migrator's parts.
        seconds_left: returns how much time remains.
    """

    def __init__(self, parts: Application, seconds_left: Callable[[], float]) -> None:
        self._parts = parts
        self._seconds_left = seconds_left

    def listed(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return branch keys and tombstones, some at a time; or the one of a tenant."""
        keys = self._keys()
        if "tenant" in event:
            found = keys.find(keys.tenants.branch_key_id(self._tenant(event)))
            return {"branchKeys": [views.branch_key(found)], "after": None}
        page, after = keys.listed(requests.page_of_keys(event))
        return {"branchKeys": [views.branch_key(found) for found in page], "after": after}

    def make(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Make a tenant's branch key where there is none."""
        keys = self._writing_keys()
        try:
            found, is_new = keys.make(self._tenant(event))
        except KeyDestroyed:
            raise _shredded() from None
        return {"branchKey": views.branch_key(found), "made": is_new}

    def rotate(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Give a tenant's branch key a new version."""
        keys = self._writing_keys()
        try:
            found = keys.rotate(keys.tenants.branch_key_id(self._tenant(event)))
        except KeyNotReady:
            raise _no_key() from None
        except KeyDestroyed:
            raise _shredded() from None
        except ConfigurationError as error:
            raise Refused("under-earlier-key", f"{str(error).capitalize()}.") from None
        return {"branchKey": views.branch_key(found)}

    def look(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Look at a tenant's items, some at a time: how many would stay readable if its branch key were destroyed."""
        keys, tenant = self._shreddable(event)
        looked = self._looked(keys, tenant, event)
        found = keys.find(keys.tenants.branch_key_id(tenant))
        return {**looked.as_json(), "readable": dict(looked.readable), "branchKey": views.branch_key(found)}

    def shred(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Look at a tenant's items, some at a time, and at the end destroy its branch key."""
        requests.confirmed_tenant(event)
        keys, tenant = self._shreddable(event)
        branch_key_id, by, parts = keys.tenants.branch_key_id(tenant), requests.by(event), self._parts
        state = keys.find(branch_key_id).state
        if state.value == "absent":
            raise _no_key()
        looked = Looked(0, 0, {}, None)
        if state.value == "active":  # Else it was destroyed before: what that may have left is deleted.
            looked = self._looked(keys, tenant, event)
            _refuse_readable(looked)
        if looked.cursor is not None:
            return {"shredded": False, **looked.as_json()}
        telemetry = parts.runtime.telemetry
        # Before it is done: no key is destroyed without a record, whatever happens now.
        telemetry.audit(by, "shred-tenant", None, "begun", tenant=tenant, branchKeyId=branch_key_id)
        destroyed = keys.destroy(branch_key_id, parts.now())
        telemetry.audit(by, "shred-tenant", None, "shredded", tenant=tenant, branchKeyId=branch_key_id)
        return {
            "shredded": True,
            **looked.as_json(),
            "branchKey": views.branch_key(destroyed),
            "readable": self._readable(keys),
        }

    def _looked(self, keys: "BranchKeys", tenant: str, event: Mapping[str, Any]) -> Looked:
        runtime = self._parts.runtime
        cursor = None if event.get("cursor") is None else requests.item_key(event, "cursor")
        look = Look(
            runtime.table,
            self._parts.queries.key_types(),
            keys.tenants,
            runtime.policy(),
            runtime.cipher.keys,
            self._seconds_left,
            self._parts.worker.sleep,
            seconds=min(SECONDS, requests.within(event) or SECONDS),
        )
        try:
            return look.after(tenant, cursor)
        except InvalidRequest:
            requests.refuse("cursor", "the one of the answer before")

    def _readable(self, keys: "BranchKeys") -> list[dict[str, Any]]:
        """Return until when copies stay readable, counted from now: also where the key was destroyed before."""
        told, queries = self._parts.runtime.settings.branch_keys, self._parts.queries
        found = copies(
            self._parts.now(),
            told.cache_seconds if told is not None else 0,
            queries.recovery(keys.table),
            queries.recovery(),
            queries.described().get("StreamSpecification") or {},
        )
        return [copy.as_json() for copy in found]

    def _tenant(self, event: Mapping[str, Any]) -> str:
        tenants = self._keys().tenants
        if tenants.attribute is None:
            return ""
        name = requests.tenant(event)
        if not is_tenant(name, tenants, self._parts.queries.key_types()):
            requests.refuse("tenant", "a value of the tenant attribute, as the encryption context writes it")
        return name

    def _keys(self) -> "BranchKeys":
        found = self._parts.runtime.branch_keys
        if found is None:
            raise Refused("no-branch-keys", "The stack has no branch keys: its KeyringType is kms.")
        return found

    def _shreddable(self, event: Mapping[str, Any]) -> "tuple[BranchKeys, str]":
        keys = self._writing_keys()
        if keys.tenants.attribute is None:
            raise Refused("no-tenants", "All items have one branch key: the stack's TenantAttribute is empty.")
        return keys, self._tenant(event)

    def _writing_keys(self) -> "BranchKeys":
        keys, told = self._keys(), self._parts.runtime.settings.branch_keys
        if told is None or not told.writes:
            # What is written is under a KMS key: a tombstone would stop nobody.
            raise Refused("no-branch-keys", "Branch keys are only read: the stack's KeyringType is kms.")
        return keys


def _refuse_readable(looked: Looked) -> None:
    if looked.readable:
        told = ", ".join(f"{number:,} {WORDS[state]}" for state, number in looked.readable.items())
        message = f"Items of the tenant would stay readable: {told}. Nothing was destroyed."
        raise Refused("still-readable", message, items=sum(looked.readable.values()))


def _no_key() -> Refused:
    return Refused("not-found", "The tenant has no branch key.")


def _shredded() -> Refused:
    return Refused("tenant-shredded", "The tenant's branch key was destroyed on purpose, and is not made again.")
