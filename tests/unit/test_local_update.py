"""What an update with other parameters changes, and what it must leave to a new start."""

import pytest

from local.errors import LocalStackError
from local.update import Changes, Resource, changes

FUNCTION = Resource("AWS::Lambda::Function", {"Environment": {"Variables": {"A": "1"}}, "Handler": "a.b", "Timeout": 3})
KEY = Resource("AWS::KMS::Key", {"Description": "x"}, "RetainExceptOnCreate")
ALIAS = Resource("AWS::KMS::Alias", {"AliasName": "alias/x"})
QUEUE = Resource("AWS::SQS::Queue", {"VisibilityTimeout": 1})


def with_properties(resource: Resource, **properties: object) -> Resource:
    return Resource(resource.type, {**resource.properties, **properties}, resource.deletion_policy)


def test_what_is_alike_is_left_alone():
    assert changes({"F": FUNCTION, "K": KEY}, {"F": FUNCTION, "K": KEY}) == Changes((), ())


@pytest.mark.parametrize("changed", [{"Environment": {"Variables": {"A": "2"}}}, {"Timeout": 4}, {"MemorySize": 512}])
def test_functions_get_other_settings(changed: dict[str, object]):
    assert changes({"F": FUNCTION}, {"F": with_properties(FUNCTION, **changed)}) == Changes(("F",), ())


def test_a_key_that_the_stack_no_longer_makes_stays_and_its_alias_goes():
    assert changes({"K": KEY, "A": ALIAS}, {}) == Changes((), ("A",))


def test_what_is_not_enforced_here_may_change():
    role = Resource("AWS::IAM::Role", {"Policies": []})
    assert changes({"R": role}, {"R": with_properties(role, Policies=["x"])}) == Changes((), ())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"Q": QUEUE}, {"Q": with_properties(QUEUE, VisibilityTimeout=2)}),
        ({"Q": QUEUE}, {}),
        ({}, {"Q": QUEUE}),
        ({"Q": FUNCTION}, {"Q": with_properties(FUNCTION, Handler="c.d")}),
        ({"Q": FUNCTION}, {}),
        ({"Q": KEY}, {"Q": with_properties(KEY, Description="y")}),
    ],
    ids=["changed", "gone", "new", "other code", "function gone", "key changed"],
)
def test_the_rest_is_refused_by_name(before: dict[str, Resource], after: dict[str, Resource]):
    with pytest.raises(LocalStackError, match=r"^that would change Q, which the local stack cannot while it runs"):
        changes({"F": FUNCTION, **before}, {"F": with_properties(FUNCTION, Timeout=9), **after})
