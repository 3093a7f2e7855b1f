import pytest
from botocore import exceptions as botocore_errors
from botocore.exceptions import ClientError

from item_crypto import SystemicError, TransientError
from item_crypto.service_errors import error_code, from_boto, from_code


@pytest.mark.parametrize(
    "code",
    [
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "InternalServerError",
        "TransactionConflictException",
        "KMSInternalException",
        "DependencyTimeoutException",
        "KeyUnavailableException",
        "LimitExceededException",
        "OverLimit",
        "RequestThrottled",
        "ReplicatedWriteConflictException",
    ],
)
def test_code_that_passes_when_translated_then_transient(code: str) -> None:
    error = from_code("dynamodb", code, 400)

    assert isinstance(error, TransientError)
    assert (error.service, error.code) == ("dynamodb", code)


@pytest.mark.parametrize(
    "code",
    [
        "AccessDeniedException",
        "DisabledException",
        "KMSInvalidStateException",
        "NotFoundException",
        "ResourceNotFoundException",
        "UnrecognizedClientException",
        "ExpiredTokenException",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NeverHeardOf",
    ],
)
def test_code_that_lasts_or_is_unknown_when_translated_then_systemic(code: str) -> None:
    assert isinstance(from_code("kms", code, 400), SystemicError)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_error_when_translated_then_transient_whatever_its_code(status: int) -> None:
    assert isinstance(from_code("sqs", "NeverHeardOf", status), TransientError)
    assert isinstance(from_code("sqs", str(status)), TransientError)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (botocore_errors.ReadTimeoutError(endpoint_url="x"), TransientError),
        (botocore_errors.ConnectTimeoutError(endpoint_url="x"), TransientError),
        (botocore_errors.EndpointConnectionError(endpoint_url="x"), TransientError),
        (botocore_errors.ConnectionClosedError(endpoint_url="x"), TransientError),
        (botocore_errors.NoCredentialsError(), SystemicError),
        (botocore_errors.NoRegionError(), SystemicError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_missing_answer_when_translated_then_time_outs_and_broken_connections_pass(
    error: botocore_errors.BotoCoreError, expected: type[Exception]
) -> None:
    assert isinstance(from_boto("kms", error), expected)


def test_answer_without_a_code_when_translated_then_systemic() -> None:
    error = ClientError({}, "Decrypt")

    assert error_code(error) == "Unknown"
    assert isinstance(from_boto("kms", error), SystemicError)


def test_message_of_the_service_when_translated_then_it_is_not_carried_on() -> None:
    error = ClientError({"Error": {"Code": "ThrottlingException", "Message": "secret-6021"}}, "Decrypt")

    assert "6021" not in str(from_boto("kms", error))
