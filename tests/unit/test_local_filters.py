import pytest

from local.event_sources.filters import InvalidPatternError, passes, patterns_of

RECORD = {
    "eventName": "INSERT",
    "userIdentity": None,
    "dynamodb": {
        "Keys": {"userId": {"S": "team-alice"}, "number": {"N": "5"}},
        "SizeBytes": 40,
        "tags": ["a", "b"],
        "lines": [{"name": "x"}, {"name": "y"}],
    },
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param({"eventName": ["INSERT", "MODIFY"]}, True, id="one of several"),
        pytest.param({"eventName": ["REMOVE"]}, False, id="none of them"),
        pytest.param({"eventName": ["INSERT"], "dynamodb": {"SizeBytes": [41]}}, False, id="all keys must match"),
        pytest.param({"dynamodb": {"Keys": {"userId": {"S": [{"prefix": "team-"}]}}}}, True, id="prefix"),
        pytest.param({"dynamodb": {"Keys": {"userId": {"S": [{"prefix": "alice"}]}}}}, False, id="not a prefix"),
        pytest.param({"dynamodb": {"Keys": {"userId": {"S": [{"suffix": "alice"}]}}}}, True, id="suffix"),
        pytest.param({"eventName": [{"equals-ignore-case": "insert"}]}, True, id="ignore case"),
        pytest.param({"eventName": [{"anything-but": ["REMOVE"]}]}, True, id="anything but"),
        pytest.param({"eventName": [{"anything-but": "INSERT"}]}, False, id="but that"),
        pytest.param({"eventName": [{"anything-but": {"prefix": "INS"}}]}, False, id="anything but a prefix"),
        pytest.param({"missing": [{"anything-but": ["x"]}]}, False, id="anything but needs a value"),
        pytest.param({"dynamodb": {"SizeBytes": [{"numeric": [">", 39, "<=", 40]}]}}, True, id="numeric range"),
        pytest.param({"dynamodb": {"SizeBytes": [{"numeric": [">", 40]}]}}, False, id="out of range"),
        pytest.param(
            {"dynamodb": {"Keys": {"number": {"N": [{"numeric": ["=", 5]}]}}}},
            False,
            id="DynamoDB's numbers are strings",
        ),
        pytest.param({"dynamodb": {"SizeBytes": [40.0]}}, True, id="numbers compare by value"),
        pytest.param({"dynamodb": {"SizeBytes": ["40"]}}, False, id="a string is not a number"),
        pytest.param({"userIdentity": [None]}, True, id="null"),
        pytest.param({"eventName": [{"exists": True}]}, True, id="exists"),
        pytest.param({"eventName": [{"exists": False}]}, False, id="exists, must not"),
        pytest.param({"eventSource": [{"exists": False}]}, True, id="does not exist"),
        pytest.param({"eventSource": {"deep": [{"exists": False}]}}, True, id="nor below what does not exist"),
        pytest.param({"dynamodb": {"tags": ["b"]}}, True, id="any element of a list"),
        pytest.param({"dynamodb": {"lines": {"name": ["y"]}}}, True, id="any object of a list"),
        pytest.param({"$or": [{"eventName": ["REMOVE"]}, {"dynamodb": {"SizeBytes": [40]}}]}, True, id="or"),
        pytest.param({"$or": [{"eventName": ["REMOVE"]}, {"eventName": ["MODIFY"]}]}, False, id="neither"),
    ],
)
def test_a_pattern_decides_as_lambda_does(pattern, expected):
    assert passes([pattern], RECORD) is expected


def test_without_patterns_everything_passes():
    assert passes([], RECORD)


def test_one_matching_pattern_is_enough():
    assert passes([{"eventName": ["REMOVE"]}, {"eventName": ["INSERT"]}], RECORD)


def test_patterns_are_read_from_filter_criteria():
    assert patterns_of({"Filters": [{"Pattern": '{"a": ["b"]}'}]}) == [{"a": ["b"]}]
    assert patterns_of(None) == []


@pytest.mark.parametrize(
    "pattern",
    [
        {"eventName": "INSERT"},
        {"eventName": [{"like": "I"}]},
        {"eventName": [{"prefix": "a", "suffix": "b"}]},
    ],
)
def test_a_pattern_that_lambda_refuses_is_refused(pattern):
    with pytest.raises(InvalidPatternError):
        passes([pattern], RECORD)
