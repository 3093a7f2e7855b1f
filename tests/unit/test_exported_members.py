import subprocess
import sys

import pytest

import item_crypto


def test_contract_of_the_package_when_a_name_goes_then_it_is_a_breaking_change() -> None:
    assert sorted(item_crypto.__all__) == [
        "Access",
        "Action",
        "Batch",
        "CallRefused",
        "ConfigurationError",
        "ConflictUnresolved",
        "ContextUnusable",
        "ControlTable",
        "Decision",
        "DecryptionFailed",
        "Encoding",
        "EncryptedClient",
        "EncryptedTable",
        "Encryption",
        "ExpressionRefused",
        "InvalidRequest",
        "ItemCipher",
        "ItemCryptoError",
        "ItemTooLarge",
        "KeyNotListed",
        "Keyrings",
        "MarkerUnusable",
        "Outcome",
        "OutcomeUnknown",
        "PermanentError",
        "Policy",
        "Reconciler",
        "Role",
        "Status",
        "Step",
        "StreamRecord",
        "SystemicError",
        "Table",
        "TransientError",
        "UnknownForm",
        "UnsupportedValue",
        "Use",
        "ValueCipher",
        "decide",
        "decrypt_record",
        "key_digest",
    ]
    assert all(hasattr(item_crypto, name) for name in item_crypto.__all__)


def test_drop_in_when_nobody_asks_for_it_then_it_is_not_loaded() -> None:
    code = "import sys, item_crypto.reconcile; print([name for name in sys.modules if 'dropin' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_name_when_the_package_has_none_such_then_it_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        item_crypto.no_such_name  # noqa: B018
