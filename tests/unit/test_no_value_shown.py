"""What holds values keeps them out of ``repr``, and so out of logs, tracebacks and assertion messages."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

PACKAGES = (
    *("item_crypto", "encryptor_runtime", "evidence", "http_api"),
    *("stream_encryptor", "reader", "migrator", "admin", "session_keys"),
)
HIDDEN = {
    "Access": {"item"},
    "BareKey": {"encrypted", "plaintext"},
    "BranchKeyVersion": {"key"},
    "Change": {"guards", "sets"},
    "Decision": {"envelopes", "item"},
    "EncryptedValue": {"message", "value"},
    "Envelope": {"body", "encrypted_key", "context"},
    "Gathering": {"_changed", "_entries"},
    "Letter": {"body", "document"},
    "ListedKeys": {"keys"},
    "Number": {"text"},
    "Opened": {"item"},
    "Planned": {"item"},
    "Settled": {"decrypted", "targets"},
    "StoredItem": {"item", "envelopes"},
    "StreamRecord": {"keys", "new_image", "old_image"},
    "Target": {"message", "value"},
    "Texts": {"ordered", "shown"},
    "Written": {"change", "clear"},
}


def dataclasses() -> Iterator[type]:
    for package in map(importlib.import_module, PACKAGES):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(found.name)
            yield from (each for each in vars(module).values() if is_dataclass(each) and each.__module__ == found.name)


def test_dataclasses_when_shown_then_these_members_are_left_out() -> None:
    hidden = {each.__name__: {field.name for field in fields(each) if not field.repr} for each in dataclasses()}

    assert {name: members for name, members in hidden.items() if members} == HIDDEN
