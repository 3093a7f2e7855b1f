"""How the stack that `python -m local up` runs is reached: where it keeps its files, and a session of its own."""

import os
from pathlib import Path
from typing import Final

import boto3
import botocore.session
from botocore.config import Config

STATE_DIRECTORY: Final = Path(".local")
"""Where the local stack keeps its files, below the project's folder."""

STOPPED: Final = "LocalStackStopped"
"""The error code of an invocation that the local stack's end cut short."""

CREDENTIALS: Final = {
    "aws_access_key_id": "testing",
    "aws_secret_access_key": "testing",
    "aws_session_token": "testing",
}
"""Credentials that no AWS account accepts."""


def state_directory() -> Path:
    """Return where the local stack of the project around the working folder keeps its files."""
    here = Path.cwd()
    folders = (folder / STATE_DIRECTORY for folder in (here, *here.parents))
    return next((folder for folder in folders if folder.is_dir()), here / STATE_DIRECTORY)


def local_session(region: str) -> boto3.Session:
    """Return a session with made-up credentials, without profile, shared files or proxies."""
    session = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    session.set_config_variable("config_file", os.devnull)
    session.set_config_variable("credentials_file", os.devnull)
    session.set_default_client_config(Config(proxies={}, retries={"total_max_attempts": 2}))
    return boto3.Session(botocore_session=session, region_name=region, **CREDENTIALS)
