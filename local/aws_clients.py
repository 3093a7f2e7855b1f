"""boto3 clients for the local endpoint that read nothing of the caller's AWS configuration."""

from typing import Any

from dynamodb_stream_encryptor.local_stack import local_session


class ClientFactory:
    """Makes clients of one endpoint. A client may be used by several threads; making one may not."""

    def __init__(self, endpoint_url: str, region: str) -> None:
        """Take the URL that every client talks to."""
        self._endpoint_url = endpoint_url
        self._session = local_session(region)

    def client(self, service: str) -> Any:
        """Return a client of the service, by its boto3 name."""
        return self._session.client(service, endpoint_url=self._endpoint_url)  # type: ignore[call-overload]

    def resource(self, service: str) -> Any:
        """Return a resource of the service, by its boto3 name."""
        return self._session.resource(service, endpoint_url=self._endpoint_url)  # type: ignore[call-overload]
