"""boto3 clients for the local endpoint that read nothing of the caller's AWS configuration."""

import os
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

CREDENTIALS = {
    "aws_access_key_id": "testing",
    "aws_secret_access_key": "testing",
    "aws_session_token": "testing",
}
"""Credentials that no AWS account accepts."""


def local_session(region: str) -> boto3.Session:
    """Return a session with made-up credentials, without profile, shared files or proxies."""
    session = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    session.set_config_variable("config_file", os.devnull)
    session.set_config_variable("credentials_file", os.devnull)
    session.set_default_client_config(Config(proxies={}, retries={"total_max_attempts": 2}))
    return boto3.Session(botocore_session=session, region_name=region, **CREDENTIALS)


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
