"""A message that names no key is under none of the keys."""

import pytest

from item_crypto import KeyNotListed, Keyrings
from item_crypto.keys.one_call import OneCall
from tests.scene import Scene
from tests.vectors.load import CURRENT_KEY


def test_message_that_names_no_key_when_its_manager_is_asked_for_then_it_is_refused() -> None:
    keys = OneCall(Keyrings(None, CURRENT_KEY), {})  # type: ignore[arg-type]  # nothing is asked

    with pytest.raises(KeyNotListed):
        keys.manager(None)


def test_key_when_its_manager_is_asked_for_twice_then_it_is_the_same_one(scene: Scene) -> None:
    keys = OneCall(Keyrings(scene.kms, scene.key_arn), {})

    assert keys.manager(scene.key_arn) is keys.manager(scene.key_arn)
