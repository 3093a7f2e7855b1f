"""A KMS over HTTP, in a process of its own, so that clients pay for real calls; it answers after some milliseconds.

    python -m benchmarks.kms_stand_in MILLISECONDS KEY_ARN…        prints its port, and ends with its standard input

It really binds: a ciphertext is AES-GCM under the key that was named, with key and encryption context authenticated, as
long as what KMS issues. No part of it is random but key and nonce. ``GET /counts`` tells how often which operation was
called.
"""

import asyncio
import base64
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dynamodb_stream_encryptor.planning.local_kms import ENCRYPTED_KEY_SIZE

_NAME: Final = 16  # Bytes that tell under which key a ciphertext is.
_NONCE: Final = 12
_LENGTH: Final = 2  # Bytes that tell how long the encrypted part is; the rest fills up to KMS's size.


class Refused(Exception):
    """What KMS answers instead of a result: its code, as the API reference names it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Keys:
    """KMS keys by ARN, made anew.

    Args:
        key_arns: the keys that there are.
    """

    def __init__(self, key_arns: list[str]) -> None:
        self._keys = {arn: (os.urandom(_NAME), AESGCM(AESGCM.generate_key(256))) for arn in key_arns}

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return what KMS answers to an operation, as its JSON protocol has it.

        Raises:
            Refused: it refuses.
        """
        operations: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "GenerateDataKey": self._generate_data_key,
            "Decrypt": self._decrypt,
            "DescribeKey": self._describe_key,
            "GenerateDataKeyWithoutPlaintext": self._generate_without_plaintext,
            "ReEncrypt": self._re_encrypt,
        }
        if operation not in operations:
            raise Refused("UnsupportedOperationException")
        return operations[operation](request)

    def _generate_data_key(self, request: Mapping[str, Any]) -> dict[str, Any]:
        size = request.get("NumberOfBytes") or {"AES_256": 32, "AES_128": 16}[request["KeySpec"]]
        plaintext = os.urandom(size)
        blob = self._sealed(request["KeyId"], plaintext, _bound(request))
        return {"KeyId": request["KeyId"], "Plaintext": _text(plaintext), "CiphertextBlob": blob}

    def _generate_without_plaintext(self, request: Mapping[str, Any]) -> dict[str, Any]:
        made = self._generate_data_key(request)
        return {name: made[name] for name in ("KeyId", "CiphertextBlob")}

    def _re_encrypt(self, request: Mapping[str, Any]) -> dict[str, Any]:
        source = {
            "KeyId": request["SourceKeyId"],
            "CiphertextBlob": request["CiphertextBlob"],
            "EncryptionContext": request.get("SourceEncryptionContext", {}),
        }
        plaintext = base64.b64decode(self._decrypt(source)["Plaintext"])
        bound = _bound({"EncryptionContext": request.get("DestinationEncryptionContext", {})})
        blob = self._sealed(request["DestinationKeyId"], plaintext, bound)
        return {"SourceKeyId": source["KeyId"], "KeyId": request["DestinationKeyId"], "CiphertextBlob": blob}

    def _sealed(self, key_arn: str, plaintext: bytes, bound: bytes) -> str:
        name, key = self._key(key_arn)
        nonce = os.urandom(_NONCE)
        sealed = key.encrypt(nonce, plaintext, bound)
        return _text((name + nonce + len(sealed).to_bytes(_LENGTH) + sealed).ljust(ENCRYPTED_KEY_SIZE, b"\0"))

    def _decrypt(self, request: Mapping[str, Any]) -> dict[str, Any]:
        blob = base64.b64decode(request["CiphertextBlob"])
        found = [arn for arn, (name, _) in self._keys.items() if blob[:_NAME] == name]
        if not found:
            raise Refused("InvalidCiphertextException")
        if request.get("KeyId", found[0]) != found[0]:
            raise Refused("IncorrectKeyException")
        _, key = self._key(found[0])
        rest = blob[_NAME + _NONCE :]
        sealed = rest[_LENGTH : _LENGTH + int.from_bytes(rest[:_LENGTH])]
        try:
            plaintext = key.decrypt(blob[_NAME : _NAME + _NONCE], sealed, _bound(request))
        except InvalidTag:
            raise Refused("InvalidCiphertextException") from None
        return {"KeyId": found[0], "Plaintext": _text(plaintext)}

    def _describe_key(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self._key(request["KeyId"])
        return {
            "KeyMetadata": {
                "KeyId": request["KeyId"].rpartition("/")[2],
                "Arn": request["KeyId"],
                "KeySpec": "SYMMETRIC_DEFAULT",
                "KeyUsage": "ENCRYPT_DECRYPT",
                "KeyState": "Enabled",
                "Enabled": True,
            }
        }

    def _key(self, key_arn: str) -> tuple[bytes, AESGCM]:
        if key_arn not in self._keys:
            raise Refused("NotFoundException")
        return self._keys[key_arn]


def _bound(request: Mapping[str, Any]) -> bytes:
    return json.dumps(request.get("EncryptionContext", {}), sort_keys=True).encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Server:
    """Answers HTTP requests, each after ``milliseconds``, and counts them by operation."""

    def __init__(self, keys: Keys, milliseconds: float) -> None:
        self._keys = keys
        self._seconds = milliseconds / 1000
        self._counts: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until the client closes it."""
        try:
            while head := await _head(reader):
                request, headers = head
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                if request.startswith("GET /counts "):
                    status, answer = "200 OK", dict(self._counts)
                else:
                    status, answer = await self._answered(headers, body)
                content = json.dumps(answer).encode()
                writer.write(
                    f"HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.1\r\n"
                    f"Content-Length: {len(content)}\r\n\r\n".encode()
                    + content
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # The client went away.
        finally:
            writer.close()

    async def _answered(self, headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, Any]]:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        self._counts[operation] += 1
        await asyncio.sleep(self._seconds)
        try:
            return "200 OK", self._keys.answer(operation, json.loads(body))
        except Refused as refused:
            return "400 Bad Request", {"__type": refused.code, "message": refused.code}


async def _head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]] | None:
    """Return the request line and the headers, by their names in lower case; None where the connection ended."""
    line = await reader.readline()
    if not line:
        return None
    headers = {}
    while (header := (await reader.readline()).decode().strip()) != "":
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    return line.decode(), headers


async def _run(milliseconds: float, key_arns: list[str]) -> None:
    server = await asyncio.start_server(Server(Keys(key_arns), milliseconds).serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Whoever started it holds the other end: it ends with them, however they end.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_run(float(sys.argv[1]), sys.argv[2:]))
