"""Where DynamoDB JSON has a list, nothing that can merely be gone through is taken for one.

Whatever one reader takes and another refuses looks, to the second, like a ciphertext that somebody tampered with.
"""

import json
from typing import Any

import pytest

from item_crypto import UnsupportedValue
from item_crypto.core.codec import decode_new_value, decode_value, value_from_json

NO_LISTS = [
    pytest.param({"L": ""}, id="an empty text for an empty list"),
    pytest.param({"L": {}}, id="an empty object for an empty list"),
    pytest.param({"NS": "123"}, id="a text for a set of its digits"),
    pytest.param({"NS": {"1": 0, "2": 0}}, id="an object for a set of its names"),
    pytest.param({"BS": {"QQ==": 0}}, id="an object for a set of binary"),
]


@pytest.mark.parametrize("document", NO_LISTS)
@pytest.mark.parametrize("within", [lambda value: value, lambda value: {"L": [{"M": {"m": value}}]}], ids=["", "deep"])
def test_what_is_no_list_when_read_as_a_value_then_it_is_refused(document: Any, within: Any) -> None:
    content = json.dumps({"history": within(document)}).encode()

    with pytest.raises(UnsupportedValue):
        value_from_json(within(document))
    for decode in (decode_value, decode_new_value):
        with pytest.raises(UnsupportedValue):
            decode("history", content)
