import item_crypto


def test_contract_of_the_package_when_a_name_goes_then_it_is_a_breaking_change() -> None:
    assert sorted(item_crypto.__all__) == [
        "Access",
        "Action",
        "ConfigurationError",
        "ConflictUnresolved",
        "ContextUnusable",
        "Decision",
        "DecryptionFailed",
        "InvalidRequest",
        "ItemCipher",
        "ItemCryptoError",
        "ItemTooLarge",
        "KeyNotListed",
        "Keyrings",
        "MarkerUnusable",
        "Outcome",
        "PermanentError",
        "Policy",
        "Reconciler",
        "Role",
        "Status",
        "Step",
        "SystemicError",
        "Table",
        "TransientError",
        "UnknownForm",
        "UnsupportedValue",
        "ValueCipher",
        "decide",
    ]
    assert all(hasattr(item_crypto, name) for name in item_crypto.__all__)
