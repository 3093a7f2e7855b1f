"""Branch keys in the stack: a table that stays, a layer for those who have any, and who may do what with them."""

from typing import Any

import pytest

from tests.unit.sam_template import ROOT, Stack, translated

TEMPLATE = translated()
KEY, EARLIER = (f"arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-00000000000{n}" for n in (1, 2))
GIVEN = {"KmsKeyArn": KEY, "EarlierKeyArns": EARLIER, "ContextPurpose": "orders"}
KMS = Stack(TEMPLATE, GIVEN)
HIERARCHICAL = Stack(TEMPLATE, {**GIVEN, "KeyringType": "hierarchical"})
LEFT_BEHIND = "arn:aws:dynamodb:eu-west-1:111122223333:table/left-behind"
BACK_TO_KMS = Stack(TEMPLATE, {**GIVEN, "BranchKeyTableName": "left-behind"})
ANEW = Stack(TEMPLATE, {**GIVEN, "KeyringType": "hierarchical", "BranchKeyTableName": "left-behind"})
ENCRYPTORS = ["StreamEncryptorRole", "RetryRole"]
READERS = ["ReaderRole", "ItemReaderRole"]
MAKERS = ["MigratorRole", "DeferredRole", "ControlRole"]
OTHERS = ["AdminRole", "SessionKeysRole", "WatcherRole", "ScheduleRole", "WatchScheduleRole"]
MADE = "<BranchKeyTable.Arn>"
A_BRANCH_KEY = {
    "StringEquals": {"kms:EncryptionContext:tablename": "orders"},
    "StringLike": {"kms:EncryptionContext:type": "branch:*"},
    # An item's data key has a purpose in its context, and a branch key has none: so it is never an item's.
    "Null": {"kms:EncryptionContext:purpose": "true"},
}
ANY_KEY_OF_THE_STORE = A_BRANCH_KEY | {"StringLike": {"kms:EncryptionContext:type": ["branch:*", "beacon:ACTIVE"]}}


def added(stack: Stack, role: str) -> list[dict[str, Any]]:
    """Return what a role has that it has not without branch keys."""
    before = KMS.statements(role)
    assert all(statement in stack.statements(role) for statement in before)
    return [statement for statement in stack.statements(role) if statement not in before]


def use(stack: Stack, role: str) -> dict[tuple[str, str], Any]:
    """Return what a role may do with branch keys: the condition, by action and resource."""
    return {
        (action, resource): statement.get("Condition")
        for statement in added(stack, role)
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def reading(table: str) -> dict[tuple[str, str], Any]:
    return {
        ("kms:Decrypt", KEY): A_BRANCH_KEY,
        ("kms:Decrypt", EARLIER): A_BRANCH_KEY,
        ("dynamodb:GetItem", table): None,
        ("dynamodb:DescribeTable", table): None,
    }


MAKING = {
    (action, KEY): ANY_KEY_OF_THE_STORE
    for action in ("kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo")
} | {("dynamodb:PutItem", MADE): None}
DESTROYING = {
    (f"dynamodb:{action}", MADE): None
    for action in ("Query", "Scan", "PutItem", "DeleteItem", "DescribeContinuousBackups")
}


@pytest.mark.parametrize("role", ENCRYPTORS + READERS)
def test_data_path_when_there_are_branch_keys_then_it_decrypts_and_reads_these_and_makes_none(role: str) -> None:
    assert use(HIERARCHICAL, role) == reading(MADE)


@pytest.mark.parametrize("role", MAKERS)
def test_migrator_when_there_are_branch_keys_then_it_makes_them_too(role: str) -> None:
    destroying = DESTROYING if role == "ControlRole" else {}
    assert use(HIERARCHICAL, role) == reading(MADE) | MAKING | destroying


@pytest.mark.parametrize("role", OTHERS)
def test_everybody_else_when_there_are_branch_keys_then_nothing_is_granted(role: str) -> None:
    if role in HIERARCHICAL.resources:
        assert use(HIERARCHICAL, role) == {}


@pytest.mark.parametrize("role", ENCRYPTORS)
def test_what_only_encrypts_when_there_are_branch_keys_then_it_still_decrypts_no_items_data_key(role: str) -> None:
    """Each item's data key has the purpose in its context."""
    for statement in HIERARCHICAL.statements(role):
        if "kms:Decrypt" in statement["Action"]:
            assert statement["Condition"]["Null"] == {"kms:EncryptionContext:purpose": "true"}


def test_stack_when_it_goes_back_to_kms_then_branch_keys_are_read_and_no_longer_made() -> None:
    for role in ENCRYPTORS + READERS + MAKERS[:2]:
        assert use(BACK_TO_KMS, role) == reading(LEFT_BEHIND)
    assert not any(
        action.startswith("kms:") and action != "kms:Decrypt" for action, _ in use(BACK_TO_KMS, "ControlRole")
    )
    assert "BranchKeyTable" not in BACK_TO_KMS.resources


def test_table_when_made_then_it_stays_and_can_be_brought_back_for_a_day() -> None:
    table = HIERARCHICAL.resources["BranchKeyTable"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    properties = table["Properties"]
    assert [(part["AttributeName"], part["KeyType"]) for part in properties["KeySchema"]] == [
        ("branch-key-id", "HASH"),
        ("type", "RANGE"),
    ]
    assert properties["PointInTimeRecoverySpecification"] == {
        "PointInTimeRecoveryEnabled": True,
        "RecoveryPeriodInDays": 1,
    }
    assert properties["DeletionProtectionEnabled"] == "true"
    assert "StreamSpecification" not in properties  # A stream would keep branch keys that were destroyed.


def test_table_when_an_earlier_one_is_given_then_none_is_made() -> None:
    assert "BranchKeyTable" not in ANEW.resources
    variables = ANEW.properties("ReaderFunction")["Environment"]["Variables"]
    assert (variables["BRANCH_KEY_TABLE_NAME"], variables["KEYRING_TYPE"]) == ("left-behind", "hierarchical")


@pytest.mark.parametrize(
    ("stack", "kind"),
    [
        (HIERARCHICAL, "X86"),
        (Stack(TEMPLATE, {"KeyringType": "hierarchical", "Architecture": "arm64"}), "Arm"),
    ],
    ids=["x86_64", "arm64"],
)
def test_functions_when_they_make_branch_keys_then_they_alone_have_the_layer_of_their_processor(
    stack: Stack, kind: str
) -> None:
    (crypto,) = _layers(stack, f"CryptoLayer{kind}")
    (branch_keys,) = _layers(stack, "BranchKeyLayer")
    assert branch_keys.startswith(f"<BranchKeyLayer{kind}")
    functions = stack.of_type("AWS::Lambda::Function")
    assert {name: function["Layers"] for name, function in functions.items()} == {
        name: [crypto, branch_keys] if f"{name.removesuffix('Function')}Role" in MAKERS else [crypto]
        for name in functions
    }


@pytest.mark.parametrize("stack", [KMS, BACK_TO_KMS], ids=["kms", "back to kms"])
def test_functions_when_none_makes_branch_keys_then_the_layer_is_not_made(stack: Stack) -> None:
    assert _layers(stack, "BranchKeyLayer") == []
    assert "BranchKeyTable" not in stack.resources


def _layers(stack: Stack, beginning: str) -> list[str]:
    """Return references to the layers whose names begin so; SAM appends a hash."""
    return [f"<{name}>" for name in stack.of_type("AWS::Lambda::LayerVersion") if name.startswith(beginning)]


def test_layer_when_built_then_it_ships_what_the_tests_run_with_and_nothing_of_the_other_layer() -> None:
    def pinned(path: str) -> set[str]:
        lines = (ROOT / path).read_text().splitlines()
        return {line for line in lines if line and not line.startswith(("#", "-"))}

    shipped = pinned("layers/crypto/branch-keys.txt")
    assert shipped <= pinned("requirements-dev.txt")
    assert not {line.split("==")[0] for line in shipped} & {
        line.split("==")[0] for line in pinned("layers/crypto/requirements.txt")
    }
    assert "aws-cryptographic-material-providers" in {line.split("==")[0] for line in shipped}
