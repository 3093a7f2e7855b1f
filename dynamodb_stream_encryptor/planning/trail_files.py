"""Reads CloudTrail's files: one, those in a folder, or those below a prefix in S3; gzip or plain, one at a time."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_stream_encryptor.errors import UsageError
from dynamodb_stream_encryptor.service_errors import explained

CALLS: Final = ("s3:ListBucket", "s3:GetObject")
"""What is called here, as IAM names it; only for a prefix in S3."""

_S3: Final = "s3://"
_MOST: Final = 256 * 1024 * 1024  # Bytes of one file, inflated: CloudTrail's have some ten MB at the most.


def events(source: str, s3: Callable[[], Any], told: Callable[[int], None]) -> Iterator[Any]:
    """Yield the events in ``source``.

    Args:
        source: a file, a folder, or ``s3://BUCKET/PREFIX``.
        s3: makes a boto3 S3 client, where one is needed.
        told: is told how many files were read.

    Raises:
        UsageError: there is nothing to read, or something is no file of CloudTrail's.
        CliError: S3 does not answer, or refuses.
    """
    files = _of_s3(source, s3()) if source.startswith(_S3) else _of_disk(Path(source))
    number = 0
    for number, (name, content) in enumerate(files, 1):
        yield from _records(name, content)
        told(number)
    if not number:
        raise UsageError(f"--cloudtrail: {source} has no .json or .json.gz file.")


def _of_disk(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        if path.is_dir():
            paths = sorted(p for p in path.rglob("*") if p.name.endswith((".json", ".json.gz")) and p.is_file())
        else:
            paths = [path]
        for file in paths:
            yield str(file), file.read_bytes()
    except OSError as error:
        raise UsageError(f"--cloudtrail: {error.filename} cannot be read: {error.strerror}.") from error


def _of_s3(source: str, s3: Any) -> Iterator[tuple[str, bytes]]:
    bucket, _, prefix = source.removeprefix(_S3).partition("/")
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents") or ():
                if entry["Key"].endswith((".json", ".json.gz")):
                    body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"]
                    yield f"{_S3}{bucket}/{entry['Key']}", body.read()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "NoSuchBucket":
            raise UsageError(f"--cloudtrail: there is no bucket {bucket}.", "not-found") from None
        raise explained(error, f"reading {source}") from error
    except BotoCoreError as error:
        raise explained(error, f"reading {source}") from error


def _records(name: str, content: bytes) -> list[Any]:
    try:
        if content.startswith(b"\x1f\x8b"):
            content = _inflated(content)
        document = json.loads(content)
    except (OSError, EOFError, ValueError, zlib.error):
        raise UsageError(f"--cloudtrail: {name} is neither JSON nor JSON in gzip.") from None
    records = document.get("Records") if isinstance(document, dict) else None
    if not isinstance(records, list):
        raise UsageError(f'--cloudtrail: {name} is no file of CloudTrail\'s: it has no "Records".')
    return records


def _inflated(content: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    data = inflater.decompress(content, _MOST)
    if inflater.unconsumed_tail:
        raise ValueError("inflates to too much")
    if not inflater.eof or inflater.unused_data:
        return gzip.decompress(content)  # More than one member, or cut short, which it says.
    return data
