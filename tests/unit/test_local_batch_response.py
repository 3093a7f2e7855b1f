import pytest

from local.event_sources.batch_response import ALL, failed_identifiers

BATCH = {"1", "2", "3"}


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        pytest.param(None, set(), id="null"),
        pytest.param({}, set(), id="empty"),
        pytest.param({"batchItemFailures": None}, set(), id="null list"),
        pytest.param({"batchItemFailures": []}, set(), id="empty list"),
        pytest.param({"other": 1}, set(), id="other keys"),
        pytest.param({"batchItemFailures": [{"itemIdentifier": "3"}, {"itemIdentifier": "2"}]}, {"2", "3"}, id="two"),
        pytest.param({"batchItemFailures": [{"itemIdentifier": ""}]}, ALL, id="empty identifier"),
        pytest.param({"batchItemFailures": [{"itemIdentifier": None}]}, ALL, id="null identifier"),
        pytest.param({"batchItemFailures": [{"identifier": "1"}]}, ALL, id="bad key name"),
        pytest.param({"batchItemFailures": ["1"]}, ALL, id="not an object"),
        pytest.param({"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "9"}]}, ALL, id="unknown"),
        pytest.param({"batchItemFailures": {"itemIdentifier": "1"}}, ALL, id="not a list"),
        pytest.param("fine", ALL, id="a string"),
        pytest.param([], ALL, id="a list"),
    ],
)
def test_a_response_is_read_as_lambda_reads_it(response, expected):
    assert failed_identifiers(response, BATCH) == expected
