"""The limit: the same bytes under the same conditions, and no encryption; what no encryption can be faster than.

What is written was encrypted before the clock runs, by this application. Within the clock an item is read, and written
on the same condition as this application's, 25 statements a PartiQL `BatchExecuteStatement`.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final

from benchmarks.contenders import KEY, Parts, pages
from benchmarks.contenders.ours import POLICY, UNCHECKED
from item_crypto import Keyrings, Role, ValueCipher
from item_crypto.core.change import Change
from item_crypto.core.codec import item_size
from item_crypto.core.key import KeyId, key_id, key_of
from item_crypto.plan import Planner

_STATEMENTS: Final = 25  # In one BatchExecuteStatement (API reference).
_BYTES: Final = 8 * 1024**2  # DynamoDB Local refuses larger requests.
_THREADS: Final = 4  # More than the cores of an engine that is by itself: what is waited for is the engine.

__all__ = ["UNCHECKED", "Limit", "make"]


class Limit:
    """Writes what was made before."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._made: dict[KeyId, Change] = {}

    def prepare(self) -> None:
        """Encrypt every item, and write nothing."""
        cipher = ValueCipher(Keyrings(self._parts.kms, self._parts.key_arn))
        planner = Planner(cipher, lambda: datetime.now(UTC))

        def plan(item: dict[str, Any]) -> tuple[KeyId, Change]:
            key = key_of(item, KEY)
            change = planner.plan(key, item, POLICY, Role.MIGRATOR).change
            if change is None:
                raise ValueError("an item needs no encryption")
            return key_id(key), change

        with ThreadPoolExecutor(8) as pool:
            self._made = dict(
                pool.map(plan, (item for page in pages(self._parts.dynamodb, self._parts.table) for item in page))
            )

    def rewrite(self) -> int:
        """Write every item, several batches at once."""
        count = 0
        with ThreadPoolExecutor(_THREADS) as pool:
            for page in pages(self._parts.dynamodb, self._parts.table):
                batches = _batches(page)
                for answer in pool.map(self._write, batches):
                    if any("Error" in response for response in answer["Responses"]):
                        raise ValueError("a statement failed")
                count += len(page)
        return count

    def _write(self, items: list[dict[str, Any]]) -> Any:
        statements = [_statement(self._parts.table, self._made[key_id(key_of(item, KEY))], item) for item in items]
        return self._parts.dynamodb.batch_execute_statement(Statements=statements)

    def check(self, stored: dict[str, Any], original: dict[str, Any]) -> None:
        """Look whether it was written: it is this application's form."""
        if any(stored.get(name) == original[name] for name in POLICY.attributes if name in original):
            raise ValueError("it was not written")


def _batches(items: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    batches: list[list[dict[str, Any]]] = []
    size = 0
    for item in items:
        grown = 2 * item_size(item)  # What is written, and what the condition names.
        if not batches or len(batches[-1]) == _STATEMENTS or size + grown > _BYTES:
            batches.append([])
            size = 0
        batches[-1].append(item)
        size += grown
    return batches


def _statement(table: str, change: Change, item: dict[str, Any]) -> dict[str, Any]:
    """Return a change as a PartiQL statement; its condition names the values that were just read."""
    parameters = []
    clauses = []
    for name, value in change.sets.items():
        clauses.append(f'SET "{name}" = ?')
        parameters.append(value)
    clauses += [f'REMOVE "{name}"' for name in change.removes]
    conditions = []
    guards: dict[str, Any] = {**change.key, **change.guards}
    for name, value in guards.items():
        if value is None:
            conditions.append(f'"{name}" IS MISSING')
        else:
            conditions.append(f'"{name}" = ?')
            parameters.append(item[name])
    return {
        "Statement": f'UPDATE "{table}" {" ".join(clauses)} WHERE {" AND ".join(conditions)}',
        "Parameters": parameters,
    }


def make(parts: Parts) -> Limit:
    """Return the limit."""
    return Limit(parts)
