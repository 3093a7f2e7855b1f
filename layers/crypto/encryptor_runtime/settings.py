"""The settings of a function, from its environment; template.yaml sets every one of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from item_crypto.core.context import PURPOSE, RESERVED_PREFIX
from item_crypto.core.encoding import Encoding
from item_crypto.core.policy import Policy
from item_crypto.core.stored_form import is_taken
from item_crypto.errors import ConfigurationError
from item_crypto.keys.identity import check_key_arn

_CONTROL_TABLE: Final = "CONTROL_TABLE_NAME"
_KEYRING_TYPE: Final = "KEYRING_TYPE"
_BRANCH_KEY_TABLE: Final = "BRANCH_KEY_TABLE_NAME"
_TENANT_ATTRIBUTE: Final = "TENANT_ATTRIBUTE"
_LONGEST_CACHE: Final = 3600  # Seconds: as long as keys.hierarchical takes.


@dataclass(frozen=True)
class SwitchSettings:
    """What a function is told of the runtime setting, which switches encryption on and off.

    Attributes:
        control_table: name of the control table, which holds the setting; None where there is none, and ``enabled`` is
            all there is.
        enabled: whether encryption is on, until the setting is changed at run time.
        cache_seconds: how long a reading of the setting may be used.
    """

    control_table: str | None
    enabled: bool
    cache_seconds: float

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "SwitchSettings":
        """Return the settings in ``environment``.

        Raises:
            ConfigurationError: one is unreadable.
        """
        return cls(
            control_table=environment.get(_CONTROL_TABLE, "").strip() or None,
            enabled=true_or_false(environment, "SESSION_ENCRYPTION_ENABLED", "true"),
            cache_seconds=_cache_seconds(environment),
        )

    def required_table(self) -> str:
        """Return the control table's name, for a function that cannot do without.

        Raises:
            ConfigurationError: there is none.
        """
        return required({_CONTROL_TABLE: self.control_table or ""}, _CONTROL_TABLE)


@dataclass(frozen=True)
class BranchKeySettings:
    """What a function is told of branch keys.

    Attributes:
        table: name of the table of branch keys.
        tenant_attribute: the context attribute that tells one tenant from another; None where all items are one's.
        cache_seconds: how long a branch key may be used after it was read.
        writes: whether new data keys come from branch keys; if not, what is under one is only read.
    """

    table: str
    tenant_attribute: str | None
    cache_seconds: int
    writes: bool

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "BranchKeySettings | None":
        """Return the settings in ``environment``; None where there are no branch keys.

        Raises:
            ConfigurationError: one is unreadable, or branch keys are to be used and there is no table of them.
        """
        keyring = environment.get(_KEYRING_TYPE, "kms").strip()
        if keyring not in ("kms", "hierarchical"):
            raise ConfigurationError(f"{_KEYRING_TYPE} must be kms or hierarchical")
        writes = keyring == "hierarchical"
        if not writes and not environment.get(_BRANCH_KEY_TABLE, "").strip():
            return None
        return cls(
            table=required(environment, _BRANCH_KEY_TABLE),
            tenant_attribute=environment.get(_TENANT_ATTRIBUTE, "").strip() or None,
            cache_seconds=_branch_key_cache_seconds(environment),
            writes=writes,
        )


@dataclass(frozen=True)
class Settings:
    """What all functions are told.

    Attributes:
        table: the table's name.
        key_arn: ARN of the KMS key that new data keys come from.
        earlier_key_arns: ARNs of keys that data may still be encrypted under.
        attributes: names of the attributes to encrypt.
        earlier_attributes: names of those that are no longer to be encrypted, and that items may still be encrypted in.
        appended: those among all of these that writers append to.
        context_attributes: names of the table's key attributes, which make the encryption context.
        purpose: the encryption context's ``purpose``.
        signed: whether messages are signed.
        encoding: how ciphertexts are stored.
        single_writing_region: the operator's word that a replicated table is written in one Region only.
        batched_writes: whether many items' changes are written together.
        switch: what is told of the runtime setting.
        branch_keys: what is told of branch keys; None where there are none, and all data keys come from KMS.
    """

    table: str
    key_arn: str
    earlier_key_arns: tuple[str, ...]
    attributes: tuple[str, ...]
    earlier_attributes: tuple[str, ...]
    appended: frozenset[str]
    context_attributes: tuple[str, ...]
    purpose: str
    signed: bool
    encoding: Encoding
    single_writing_region: bool
    batched_writes: bool
    switch: SwitchSettings
    branch_keys: BranchKeySettings | None = None

    @property
    def is_for_clients(self) -> bool:
        """Whether clients may encrypt and decrypt by themselves: data keys are KMS's, and messages are unsigned."""
        return not self.signed and not (self.branch_keys is not None and self.branch_keys.writes)

    @property
    def policy(self) -> Policy:
        """What is to be encrypted, before any change of the setting at run time."""
        return Policy(
            (*self.attributes, *self.earlier_attributes),
            self.appended,
            self.context_attributes,
            self.purpose,
            self.switch.enabled,
            earlier=frozenset(self.earlier_attributes),
            encoding=self.encoding,
        )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Return the settings in ``environment``.

        Raises:
            ConfigurationError: one is missing, unreadable or would not be safe. Nothing is guessed: a setting that
                cannot be read is never taken for "off".
        """
        settings = cls(
            table=required(environment, "TABLE_NAME"),
            key_arn=check_key_arn(required(environment, "SESSION_ENCRYPTION_KEY_ARN")),
            earlier_key_arns=tuple(map(check_key_arn, names(environment.get("EARLIER_KEY_ARNS", "")))),
            attributes=required_names(environment, "ENCRYPTED_ATTRIBUTES"),
            earlier_attributes=names(environment.get("EARLIER_ATTRIBUTES", "")),
            appended=frozenset(names(environment.get("APPENDED_ATTRIBUTES", ""))),
            context_attributes=required_names(environment, "CONTEXT_ATTRIBUTES"),
            purpose=required(environment, "CONTEXT_PURPOSE"),
            signed=true_or_false(environment, "SIGNED_MESSAGES", "false"),
            encoding=_encoding(environment),
            single_writing_region=true_or_false(environment, "SINGLE_WRITING_REGION", "false"),
            batched_writes=true_or_false(environment, "BATCHED_WRITES", "false"),
            switch=SwitchSettings.from_environment(environment),
            branch_keys=BranchKeySettings.from_environment(environment),
        )
        _check_names(settings)
        return settings


def required(environment: Mapping[str, str], name: str) -> str:
    """Return a setting that has no default.

    Raises:
        ConfigurationError: it is missing or empty.
    """
    text = environment.get(name, "").strip()
    if not text:
        raise ConfigurationError(f"{name} is not set")
    return text


def true_or_false(environment: Mapping[str, str], name: str, default: str) -> bool:
    """Return a setting that is ``true`` or ``false``.

    Raises:
        ConfigurationError: it is neither.
    """
    match environment.get(name, default).strip().lower():
        case "true":
            return True
        case "false":
            return False
        case _:
            raise ConfigurationError(f"{name} must be true or false")


def names(text: str) -> tuple[str, ...]:
    """Return the names in a comma-separated list, without white space around them, each once."""
    return tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))


def required_names(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return a list that names at least one thing: of nothing to encrypt, nobody would be told.

    Raises:
        ConfigurationError: it is missing or empty.
    """
    listed = names(required(environment, name))
    if not listed:
        raise ConfigurationError(f"{name} names nothing")
    return listed


def _encoding(environment: Mapping[str, str]) -> Encoding:
    try:
        return Encoding(environment.get("CIPHERTEXT_ENCODING", Encoding.BASE64.value).strip().lower())
    except ValueError:
        raise ConfigurationError("CIPHERTEXT_ENCODING must be base64 or binary") from None


def _cache_seconds(environment: Mapping[str, str]) -> float:
    text = environment.get("SETTING_CACHE_SECONDS", "5").strip()
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise ConfigurationError("SETTING_CACHE_SECONDS must be a number of seconds")
    return float(text)


def _branch_key_cache_seconds(environment: Mapping[str, str]) -> int:
    text = environment.get("BRANCH_KEY_CACHE_SECONDS", "60").strip()
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= _LONGEST_CACHE:
        raise ConfigurationError(f"BRANCH_KEY_CACHE_SECONDS must be 1 to {_LONGEST_CACHE}")
    return int(text)


def _check_names(settings: Settings) -> None:
    told = settings.branch_keys
    if told is not None and told.tenant_attribute not in (None, *settings.context_attributes):
        # Else the message itself would not say whose it is, and anybody's branch key could be asked for.
        raise ConfigurationError(f"{_TENANT_ATTRIBUTE}: must be one of CONTEXT_ATTRIBUTES")
    listed = {"ENCRYPTED_ATTRIBUTES": settings.attributes, "EARLIER_ATTRIBUTES": settings.earlier_attributes}
    for setting, listed_names in listed.items():
        for name in listed_names:
            if is_taken(name):
                raise ConfigurationError(f"{setting}: {name} is a name of the stored form")
            if name in settings.context_attributes:
                raise ConfigurationError(f"{setting}: {name} is part of the encryption context")
    if both := set(settings.attributes) & set(settings.earlier_attributes):
        raise ConfigurationError(f"EARLIER_ATTRIBUTES: {min(both)} is also one of ENCRYPTED_ATTRIBUTES")
    if not settings.appended <= {*settings.attributes, *settings.earlier_attributes}:
        raise ConfigurationError("APPENDED_ATTRIBUTES: each must be one of ENCRYPTED_ATTRIBUTES or EARLIER_ATTRIBUTES")
    for name in settings.context_attributes:
        if name == PURPOSE or name.startswith(RESERVED_PREFIX):
            raise ConfigurationError(f"CONTEXT_ATTRIBUTES: {name} is a reserved name of the encryption context")
