"""What encryption makes of items: the sizes that a plan tells are those that are stored."""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamodb_stream_encryptor.planning.growth import COLLISION, INCOMPRESSIBLE, Growth, index_units
from dynamodb_stream_encryptor.planning.local_kms import ENCRYPTED_KEY_SIZE, LocalKms, stand_in_arn
from dynamodb_stream_encryptor.planning.survey import MOST_NAMES, Survey
from dynamodb_stream_encryptor.planning.table import Index, Table, read_table
from item_crypto import ItemCipher, Keyrings, Policy, ValueCipher
from item_crypto.core.codec import item_size
from item_crypto.core.encoding import Encoding

REGION = "eu-central-1"
POLICY = Policy(("history", "configuration"), frozenset(), ("userId", "sessionId"), "session-encryption", True)
KEY = {"userId": {"S": "alice"}, "sessionId": {"S": "dlg-1"}}


def table(*indexes: Index) -> Table:
    keys = [{"AttributeName": "sessionId", "KeyType": "HASH"}, {"AttributeName": "userId", "KeyType": "RANGE"}]
    described = {
        "TableName": "chats",
        "TableArn": f"arn:aws:dynamodb:{REGION}:111122223333:table/chats",
        "KeySchema": keys,
        "GlobalSecondaryIndexes": [
            {
                "IndexName": index.name,
                "KeySchema": [{"AttributeName": name, "KeyType": "HASH"} for name in index.keys],
                "Projection": {"ProjectionType": index.projection, "NonKeyAttributes": list(index.included)},
            }
            for index in indexes
        ],
    }
    return read_table(described, REGION)


def grown(*items: Mapping[str, Any], of: Table | None = None, policy: Policy = POLICY) -> Growth:
    growth = Growth(of or table(), policy, stand_in_arn(REGION))
    for item in items:
        growth.add({**KEY, **item})
    return growth


VALUES = st.one_of(
    st.builds(lambda text: {"S": text}, st.text(max_size=3000)),
    st.builds(lambda data: {"B": data}, st.binary(max_size=3000)),
    st.builds(lambda number: {"N": str(number)}, st.integers(-(10**20), 10**20)),
    st.builds(lambda texts: {"L": [{"S": text} for text in texts]}, st.lists(st.text(max_size=50), max_size=20)),
)


@settings(max_examples=40)
@given(VALUES, VALUES)
def test_the_size_that_is_told_is_the_one_that_the_library_stores(history, configuration):
    """GIVEN any values WHEN the library's own front encrypts them THEN the item has the size that the plan tells."""
    item = {**KEY, "name": {"S": "x"}, "history": history, "configuration": configuration}
    cipher = ValueCipher(Keyrings(LocalKms(REGION), stand_in_arn(REGION)))  # type: ignore[arg-type]
    stored = ItemCipher(cipher, POLICY).encrypt_item(item)
    growth = grown(item)
    assert growth.after.total == item_size(stored)
    assert growth.before.total == item_size(item)
    assert growth.written.total == max(item_size(stored), item_size(item))


@settings(max_examples=20)
@given(VALUES, st.sampled_from(Encoding))
def test_the_size_in_each_encoding_is_the_one_that_the_library_stores_in_it(history, chosen):
    """GIVEN any value WHEN it is encrypted under either encoding THEN a plan for any of them told its size."""
    item = {**KEY, "history": history}
    cipher = ValueCipher(Keyrings(LocalKms(REGION), stand_in_arn(REGION)))  # type: ignore[arg-type]
    growth = grown(item, policy=replace(POLICY, encoding=chosen))
    for encoding, told in growth.encodings.items():
        stored = ItemCipher(cipher, replace(POLICY, encoding=encoding)).encrypt_item(item)
        assert told.after.total == item_size(stored)
        assert told.written.total == max(item_size(stored), item_size(item))
    assert growth.encodings[chosen].after.total == growth.after.total


def test_a_data_key_has_the_size_of_one_of_kms():
    """The frozen vectors of real KMS keys have it in their headers; a plan's stand-in must not be shorter."""
    issued = LocalKms(REGION).generate_data_key(KeyId="x", NumberOfBytes=32)
    assert len(issued["CiphertextBlob"]) == ENCRYPTED_KEY_SIZE == 184
    assert len(stand_in_arn(REGION)) == len(
        f"arn:aws:kms:{REGION}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    )


def test_text_shrinks_and_a_small_value_grows():
    text = grown({"history": {"S": "the same words again and again. " * 500}})
    small = grown({"history": {"S": "x"}})
    assert text.after.total < text.before.total / 10
    assert small.after.total > small.before.total + 600
    assert (text.ratios["to half or less"], small.ratios["more"]) == (1, 1)


def test_states_are_told_apart():
    cipher = ValueCipher(Keyrings(LocalKms(REGION), stand_in_arn(REGION)))  # type: ignore[arg-type]
    encrypted = ItemCipher(cipher, POLICY).encrypt_item({**KEY, "history": {"S": "x"}})
    other_key = f"arn:aws:kms:{REGION}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    elsewhere = ItemCipher(ValueCipher(Keyrings(LocalKms(REGION), other_key)), POLICY)  # type: ignore[arg-type]
    growth = grown(
        {"history": {"S": "x"}},
        encrypted,
        elsewhere.encrypt_item({**KEY, "history": {"S": "x"}}),
        {"name": {"S": "nothing"}},
        {"encrypted_history": {"S": "text of its own"}},
    )
    assert growth.states == {"toEncrypt": 1, "encrypted": 2, "nothing": 1, "failing": 1}
    assert set(growth.failures) == {"unknown-form"}


def test_binary_that_does_not_compress_is_told_from_text_that_is_too_large():
    binary = grown({"history": {"B": os.urandom(310 * 1024)}, "configuration": {"S": "x"}})
    assert binary.failures[INCOMPRESSIBLE].attributes == {"history": 1}
    assert binary.failures[INCOMPRESSIBLE].examples == [{"sessionId": {"S": "dlg-1"}, "userId": {"S": "alice"}}]
    text = grown({"history": {"S": os.urandom(199 * 1024).hex()}, "name": {"S": "y" * 2 * 1024}})
    assert set(text.failures) <= {"item-too-large"}


def test_binary_that_does_not_compress_when_stored_as_binary_then_it_fits():
    item = {"history": {"B": os.urandom(310 * 1024)}}
    assert grown(item).states == {"failing": 1}
    assert grown(item, policy=replace(POLICY, encoding=Encoding.BINARY)).states == {"toEncrypt": 1}


def test_compressible_items_near_the_limit_are_no_trouble():
    growth = grown({"history": {"S": "z" * (399 * 1024)}})
    assert growth.states == {"toEncrypt": 1}


@pytest.mark.parametrize("marker", ["is_encrypted", "encrypted_at", "encryption_version"])
def test_attributes_with_the_names_of_markers_would_be_overwritten(marker):
    growth = grown({"history": {"S": "x"}, marker: {"S": "the writer's own"}})
    assert growth.failures[COLLISION].attributes == {marker: 1}


def test_a_key_that_makes_no_context_is_told():
    growth = grown({"history": {"S": "x"}, "userId": {"B": b""}})
    assert growth.failures["context-unusable"].attributes == {"userId": 1}


def test_only_so_many_examples_are_kept():
    growth = grown(*({"encrypted_history": {"S": "mine"}, "userId": {"S": str(n)}} for n in range(10)))
    assert growth.failures["unknown-form"].items == 10
    assert len(growth.failures["unknown-form"].examples) == 3


class TestIndexes:
    BEFORE = {**KEY, "startTime": {"S": "1"}, "history": {"S": "x" * 3000}}  # noqa: RUF012
    AFTER = {**KEY, "startTime": {"S": "1"}, "encrypted_history": {"S": "y" * 5000}}  # noqa: RUF012

    @pytest.mark.parametrize(
        ("index", "units"),
        [
            (Index("a", ("startTime",), "ALL", (), False), 5),
            (Index("a", ("startTime",), "KEYS_ONLY", (), False), 0),
            (Index("a", ("startTime",), "INCLUDE", ("name",), False), 0),
            (Index("a", ("startTime",), "INCLUDE", ("history",), False), 3),
            (Index("a", ("startTime",), "INCLUDE", ("encrypted_history",), False), 5),
            (Index("a", ("other",), "ALL", (), False), 0),
        ],
        ids=["all", "keys", "other attribute", "plaintext", "ciphertext", "sparse"],
    )
    def test_an_index_is_written_where_what_it_holds_changes(self, index, units):
        assert index_units(index, ("sessionId", "userId"), self.BEFORE, self.AFTER) == units

    def test_their_units_are_counted(self):
        growth = grown({"history": {"S": "x"}}, of=table(Index("byUser", ("userId",), "ALL", (), False)))
        assert growth.index_units == 1


class TestSurvey:
    def test_types_and_sizes_are_counted_by_attribute(self):
        survey = Survey()
        for item in ({"id": {"N": "1"}, "a": {"S": "four and more"}}, {"id": {"N": "2"}, "a": {"NULL": True}}):
            survey.add(item)
        assert survey["a"].types == {"S": 1, "NULL": 1}
        assert survey["a"].sizes.most == len("a") + 13
        assert survey["none"].sizes.count == 0
        assert [attribute.name for attribute in survey] == ["a", "id"]

    def test_names_without_end_take_bounded_memory(self):
        survey = Survey()
        for number in range(MOST_NAMES * 3):
            survey.add({"id": {"N": "1"}, f"name-{number}": {"S": "x"}})
        assert len(survey.attributes()) == MOST_NAMES
        assert survey.others == MOST_NAMES * 3 - (MOST_NAMES - 1)
        assert survey.items == MOST_NAMES * 3
