"""What botocore and moto make anew for every test though it never differs, made once a process: half of all time.

- botocore reads the models of its services, megabytes of JSON, for each session, and moto begins a new one each time.
- moto gives every KMS key, symmetric ones too, an RSA key that only signing would use.
- moto looks for every member that a structure may have under some eight names. DynamoDB's values have one of ten
  members, by its own name, and are most of what it answers.
"""

import functools
from typing import Any, Final

import botocore.session
import moto.core.serialize
import moto.kms.models

_TYPES: Final = frozenset({"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"})


def install() -> None:
    """Have this process make them once."""
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
    moto.kms.models.generate_private_key = functools.cache(moto.kms.models.generate_private_key)

    by_any_name = moto.core.serialize.AttributePicker.__call__

    def pick(self: Any, context: Any) -> Any:
        if type(context.obj) is dict and context.obj.keys() <= _TYPES and not self.response_transformers:
            return context.obj.get(context.key)
        return by_any_name(self, context)

    moto.core.serialize.AttributePicker.__call__ = pick
