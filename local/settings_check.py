"""What the functions would refuse when they start, found out before they do: one sentence, not a log of failures."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from encryptor_runtime.remembered import RememberedAttributes, check_attributes
from encryptor_runtime.settings import Settings
from encryptor_runtime.startup import check_key, check_regions, check_table
from item_crypto.errors import ItemCryptoError
from local.errors import TemplateError

_NEEDED: Final = {"TABLE_NAME", "ENCRYPTED_ATTRIBUTES", "SESSION_ENCRYPTION_KEY_ARN"}
"""What tells a function of this project's template from one of another."""


def check_settings(environments: Iterable[Mapping[str, str]], dynamodb: Any, kms: Any) -> None:
    """Check each function's variables as it does itself, against the table and the key that are there.

    Raise `TemplateError` with what a function would say. What is told twice is asked once. As a function's start does,
    it remembers the attributes in the control table.
    """
    seen: list[Settings] = []
    for environment in environments:
        if not environment.keys() >= _NEEDED:
            continue
        try:
            settings = Settings.from_environment(environment)
            if settings in seen:
                continue
            check_table(dynamodb, settings)
            check_regions(kms.meta.region_name, settings)
            check_key(kms, settings.key_arn)
            if settings.switch.control_table is not None:
                check_attributes(RememberedAttributes(dynamodb, settings.switch.control_table), settings)
        except ItemCryptoError as error:
            raise TemplateError(f"the functions would refuse to start: {error}") from error
        seen.append(settings)
