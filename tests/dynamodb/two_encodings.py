"""A world amid a change of the encoding, without end: some environments store base64, others binary."""

import os
from dataclasses import replace
from typing import Any

import pytest

from encryptor_runtime import runtime
from encryptor_runtime.clients import Clients
from encryptor_runtime.queues import KeyQueues, Queue
from item_crypto.core.encoding import Encoding, encoding_of
from migrator.application import compose
from migrator.settings import MigratorSettings
from reader.sessions import Sessions
from stream_encryptor.encryptor import Encryptor
from tests.dynamodb.queues import ADDRESS
from tests.dynamodb.wire import Effect
from tests.dynamodb.world import TABLE, World


class TwoEncodings(World):
    """Each environment is told an encoding by chance, and keeps it.

    Attributes:
        stored: how many ciphertexts were written in which encoding.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seed: int, view: str = "KEYS_ONLY") -> None:
        self.stored = dict.fromkeys(Encoding, 0)
        super().__init__(monkeypatch, seed, view)

    def _compose(self, function: str) -> Any:
        encoding, clients = self.draw.choice(list(Encoding)), Clients()
        settings = replace(self.settings, encoding=encoding)
        match function:
            case "encryptor":
                queues = [Queue(clients.sqs, f"{ADDRESS}{name}") for name in ("retry", "failures", "deferred")]
                return Encryptor(runtime.compose(settings, function, clients), KeyQueues(TABLE, *queues))
            case "reader":
                return Sessions(runtime.compose(settings, function, clients), "byUserId")
            case _:
                migrator = replace(MigratorSettings.from_environment(os.environ), shared=settings)
                return compose(migrator, clients, sleep=lambda _: None, now=self.now)

    def _seen(self, effect: Effect) -> None:
        if effect.operation == "UpdateItem" and effect.asked["TableName"] == TABLE:
            names = effect.asked.get("ExpressionAttributeNames", {}).values()
            if any(name.startswith("encrypted_h") for name in names):
                for value in effect.asked["ExpressionAttributeValues"].values():
                    if set(value) <= {"S", "B"} and len(next(iter(value.values()))) > 400:
                        self.stored[encoding_of(value)] += 1
        super()._seen(effect)
