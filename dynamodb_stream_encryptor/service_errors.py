"""What AWS and its client library complain of, in words that tell an operator what to do."""

from typing import Final

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_stream_encryptor.errors import CliError, Interrupted, Unreachable, UsageError

_DENIED: Final = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
_EXPIRED: Final = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_NOT_ACCEPTED: Final = {
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "AuthFailure",
}
_THROTTLED: Final = {
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "EC2ThrottledException",
}


def explained(error: ClientError | BotoCoreError, doing: str) -> CliError:
    """Return the error to show for one of boto3's; `doing` says what was tried, as in "finding the stack"."""
    match error:
        case ClientError():
            return _answered(error, doing)
        case exceptions.ProfileNotFound():
            return UsageError(f"{error}. Name one of `aws configure list-profiles`.")
        case exceptions.NoRegionError():
            return UsageError("No AWS Region is set. Give one with --region, or in the profile.")
        case exceptions.NoCredentialsError():
            return Unreachable(
                "There are no AWS credentials. Sign in (`aws sso login`), or name a --profile.", "no-credentials"
            )
        case exceptions.ConnectionError() | exceptions.HTTPClientError():
            return Interrupted(f"No connection to AWS while {doing}: {error}")
        case _:
            return Unreachable(f"AWS cannot be asked while {doing}: {error}")


def _answered(error: ClientError, doing: str) -> CliError:
    detail = error.response.get("Error", {})
    code, message = detail.get("Code", "Unknown"), detail.get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _DENIED:
        return Unreachable(f"AWS denies permission while {doing}: {message}", "access-denied")
    if code in _EXPIRED:
        return Unreachable("The AWS credentials have expired. Sign in again (`aws sso login`).", "expired-credentials")
    if code in _NOT_ACCEPTED:
        return Unreachable(f"AWS does not accept the credentials: {message}", "credentials")
    if code in _THROTTLED:
        return Interrupted(f"AWS is throttling requests while {doing}. Try again in a moment.", "throttled")
    if status >= 500:
        return Interrupted(f"AWS failed while {doing}: {code}. Try again in a moment.")
    return Unreachable(f"AWS refuses while {doing}: {code}: {message}")
