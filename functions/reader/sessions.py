"""A user's sessions: read, replace, list, delete. Nothing here reaches a session of anybody else.

The user is the range key of every item read or written, and the hash key of every query, so another user's session
is not forbidden but absent.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from encryptor_runtime.runtime import Runtime
from http_api.errors import BadRequest
from http_api.settings import SESSION_ID, USER_ID
from item_crypto.core.codec import Item, Value
from item_crypto.core.stored_form import IS_ENCRYPTED, View
from item_crypto.errors import ConditionTooLong, EncryptionOff, InvalidRequest
from item_crypto.reconcile import Check
from reader.access import counting_failures, read, report
from reader.errors import BeyondComparison, NoSuchSession, NotTakenEncrypted
from reader.messages import taken

_LISTED: Final = (SESSION_ID, "name", "startTime", "createTime", "lastUpdated")


class Sessions:
    """The sessions in the table.

    Every method raises TransientError or SystemicError where DynamoDB or KMS does not answer.

    Args:
        runtime: the parts of every function.
        user_index: name of the index by user.
        now: returns the time, aware.
    """

    def __init__(
        self, runtime: Runtime, user_index: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._runtime = runtime
        self._user_index = user_index
        self._now = now

    def read(self, key: Item, view: View = View.CLEAR) -> Item:
        """Return a session in ``view``, whatever form it is stored in, and bring it into the form it should have.

        Raises:
            NoSuchSession: the user has none of that key.
            PermanentError: it cannot be decrypted.
        """
        session = read(self._runtime, key, _user(key), view)
        if session is None:
            raise NoSuchSession
        self._runtime.telemetry.count("SessionReads")
        return session

    def replace(
        self,
        key: Item,
        values: Mapping[str, Value],
        check: Check | None = None,
        ciphertexts: Mapping[str, str] | None = None,
        view: View = View.CLEAR,
    ) -> tuple[Item, bool]:
        """Set ``values`` in a session, and create it where there is none; what is left out stays as it was.

        Args:
            key: the session's key.
            values: what to set.
            check: looks at the session before, and raises what is to stop the write.
            ciphertexts: base64 text of messages to set, by the attribute whose value each holds.
            view: how the session is to be shown.

        Returns:
            The session, and whether it was created.

        Raises:
            BadRequest: DynamoDB does not take the values, or a message is not what it must be.
            NotTakenEncrypted: messages are not taken, or not any more.
            BeyondComparison: the session has too many attributes for a write that rests on what ``check`` saw.
            ItemTooLarge: the session would exceed 400 KB.
            PermanentError: what is left out cannot be decrypted.
            TransientError: others kept writing the session, too.
            OutcomeUnknown: the write was sent, and whether it took effect cannot be told.
        """
        now = {"S": self._now().astimezone(UTC).isoformat(timespec="seconds")}
        encrypted = taken(self._runtime, key, ciphertexts or {})
        try:
            with counting_failures(self._runtime):
                access, created = self._runtime.reconciler.put(
                    key,
                    self._runtime.policy(),
                    {**values, **encrypted, "lastUpdated": now},
                    {"startTime": now, "createTime": now},
                    check,
                    view,
                )
        except ConditionTooLong:
            if check is None:
                raise
            raise BeyondComparison from None
        except InvalidRequest:
            raise BadRequest("body", "DynamoDB refuses it as malformed") from None
        except EncryptionOff:
            raise NotTakenEncrypted from None
        if encrypted:
            self._runtime.telemetry.count("ClientMessages", len(encrypted))
        report(self._runtime, access, _user(key))
        assert access.item is not None  # noqa: S101 - what was just written is there
        return access.item, created

    def page(self, user: str, limit: int, start: Item | None) -> tuple[list[dict[str, Value]], Item | None]:
        """Return some of a user's sessions, the newest first, and the key to go on after, if there may be more.

        Nothing is decrypted. Reads of an index are eventually consistent, and a session without ``startTime`` is in
        no index by user.

        Args:
            user: the user's id.
            limit: how many at most.
            start: the key to go on after.

        Raises:
            BadRequest: there is no such place in the index.
        """
        names = {f"#{number}": name for number, name in enumerate((*_LISTED, IS_ENCRYPTED, USER_ID))}
        arguments: dict[str, Any] = {"ExclusiveStartKey": start} if start is not None else {}
        try:
            answer = self._runtime.table.query(
                IndexName=self._user_index,
                KeyConditionExpression=f"#{len(names) - 1} = :user",
                ProjectionExpression=", ".join(names),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={":user": {"S": user}},
                ScanIndexForward=False,
                Limit=limit,
                **arguments,
            )
        except InvalidRequest:
            if start is None:
                raise
            raise BadRequest("nextToken", "not a place in this list") from None
        return [_listed(item) for item in answer["Items"]], answer.get("LastEvaluatedKey")

    def delete(self, key: Item, check: Check | None = None) -> None:
        """Delete a session.

        Args:
            key: the session's key.
            check: looks at the session before, and raises what is to stop the deletion.

        Raises:
            NoSuchSession: the user has none of that key.
            BeyondComparison: the session has too many attributes for a deletion that rests on what ``check`` saw.
            PermanentError: ``check`` wants to see the session, and it cannot be decrypted.
            OutcomeUnknown: the deletion was sent, and whether it took effect cannot be told.
        """
        # What a session is stored as, and so its other tag, is told by the setting.
        policy = self._runtime.settings.policy if check is None else self._runtime.policy()
        try:
            with counting_failures(self._runtime):
                if not self._runtime.reconciler.delete(key, policy, check, _LISTED):
                    raise NoSuchSession
        except ConditionTooLong:
            raise BeyondComparison from None


def _user(key: Item) -> str:
    user: str = key[USER_ID]["S"]
    return user


def _listed(item: Item) -> dict[str, Value]:
    shown: dict[str, Value] = {name: item[name] for name in _LISTED if name in item}
    return shown | {"encrypted": {"BOOL": item.get(IS_ENCRYPTED) == {"BOOL": True}}}
