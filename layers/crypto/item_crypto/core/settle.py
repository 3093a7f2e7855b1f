"""The values that an item's attributes are to have, once what a decision needs is decrypted. Pure."""

from collections.abc import Mapping
from decimal import Decimal

from item_crypto.core.codec import Item, Value
from item_crypto.core.decide import Decision, Step
from item_crypto.core.stored_form import IS_ENCRYPTED, Target, conflict_name
from item_crypto.errors import MarkerUnusable, UnsupportedValue


def settle(decision: Decision, decrypted: Mapping[str, Value]) -> dict[str, Target]:
    """Return what each changed attribute is to become, by name; a kept conflict under ``conflict_name``.

    Args:
        decision: a Decision with the action WRITE.
        decrypted: the values of ``decision.to_decrypt``; more do no harm.

    Raises:
        MarkerUnusable: two values differ and ``is_encrypted`` does not tell which is the newer one.
        UnsupportedValue: a value to be concatenated is no list.
    """
    item, policy = decision.item, decision.policy
    targets: dict[str, Target] = {}
    lost: dict[str, Target] = {}
    for name in decision.changed:
        match decision.steps[name]:
            case Step.ENCRYPT:
                targets[name] = Target(item[name], encrypted=True)
            case Step.REENCRYPT:
                targets[name] = Target(decrypted[name], encrypted=True, renewed=True)
            case Step.DECRYPT:
                targets[name] = Target(decrypted[name], encrypted=False)
            case Step.REENCODE:
                pass  # Its value stays as it is, and nobody needs to know it.
            case Step.DROP:
                targets[name] = Target(item[name], encrypted=False)
            case Step.MERGE:
                targets[name] = Target(_concatenated(decrypted[name], item[name]), encrypted=name in policy.encrypted)
            case Step.RESOLVE:
                winner, loser = _resolved(item, item[name], decrypted[name])
                targets[name] = Target(winner, encrypted=name in policy.encrypted)
                if loser is not None:
                    lost[conflict_name(name)] = Target(loser, encrypted=True)
    return targets | lost  # A new conflict over a renewed one is refused where it would be written.


def _concatenated(earlier: Value, appended: Value) -> Value:
    if "L" not in earlier or "L" not in appended:
        raise UnsupportedValue("an appended attribute is not a list")
    return {"L": [*earlier["L"], *appended["L"]]}


def _resolved(item: Item, plaintext: Value, decrypted: Value) -> tuple[Value, Value | None]:
    """Return the newer value and, where the two differ, the other one."""
    if _is_same(plaintext, decrypted):
        return plaintext, None
    match item.get(IS_ENCRYPTED):
        case {"BOOL": True}:
            return decrypted, plaintext  # LISA encrypted last and left the old plaintext where it was.
        case {"BOOL": False}:
            return plaintext, decrypted
        case _:
            raise MarkerUnusable("is_encrypted does not tell which of two values is the newer one")


def _is_same(plaintext: Value, decrypted: Value) -> bool:
    """Tell whether ``decrypted`` is ``plaintext`` after LISA's ordinary JSON.

    There a number is text (a Decimal, as boto3 gives it) or a number in another spelling (a float: 1.0 for 1).
    """
    match plaintext, decrypted:
        case {"N": number}, {"N": other}:
            return Decimal(number) == Decimal(other)
        case {"N": number}, {"S": text}:
            return bool(number == text)
        case {"L": members}, {"L": others}:
            return len(members) == len(others) and all(map(_is_same, members, others))
        case {"M": members}, {"M": others}:
            return members.keys() == others.keys() and all(_is_same(members[name], others[name]) for name in members)
        case _:
            return plaintext == decrypted
