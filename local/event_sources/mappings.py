"""Follows Lambda's list of event source mappings: starts, stops and restarts a poller for each."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from local import moto_state
from local.aws_clients import ClientFactory
from local.errors import LocalStackError
from local.event_sources.mapping import EventSourceMapping
from local.event_sources.queue_poller import QueuePoller
from local.event_sources.stream_poller import Shard, StreamPoller
from local.function_pool import FunctionPool

_LOG = logging.getLogger(__name__)
_REFRESH_INTERVAL = 0.5

Poller = StreamPoller | QueuePoller


class EventSources:
    """The event source mappings of a stack, whoever makes, changes, disables or deletes them."""

    def __init__(
        self,
        clients: ClientFactory,
        region: str,
        functions: Mapping[str, FunctionPool],
        open_shard: Callable[[str], Shard],
    ) -> None:
        """Take the functions by their name in Lambda; `open_shard` returns what reads the stream of an ARN."""
        self._region = region
        self._open_shard = open_shard
        self._functions = functions
        self._lambda = clients.client("lambda")
        self._sqs = clients.client("sqs")
        self._lock = threading.Lock()
        self._pollers: dict[str, Poller] = {}
        self._positions: dict[str, int] = {}
        self._refused: list[EventSourceMapping] = []
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="mappings", daemon=True)

    def start(self) -> None:
        """Start what is enabled now, and follow changes from then on."""
        self._refresh()
        self._watcher.start()

    def stop(self, grace: float = 2.0) -> None:
        """Tell everything to stop, and wait for invocations under way, up to `grace` seconds altogether."""
        self._stopping.set()
        with self._lock:
            for poller in self._pollers.values():
                poller.stop()
        self.join(grace)

    def join(self, timeout: float | None = None) -> None:
        """Wait until everything that was told to stop has ended."""
        deadline = None if timeout is None else time.monotonic() + timeout
        for thread in [self._watcher, *self._pollers.values()]:
            if thread.ident is not None:
                thread.join(None if deadline is None else max(deadline - time.monotonic(), 0))

    def concurrency(self) -> dict[str, int]:
        """Return how many batches at once a function's mappings hand over, by the function's name."""
        highest: dict[str, int] = {}
        for mapping in self._listed():
            highest[mapping.function] = max(mapping.concurrency, highest.get(mapping.function, 1))
        return highest

    def of_streams(self) -> set[str]:
        """Return the names of the functions that streams trigger."""
        return {mapping.function for mapping in self._listed() if mapping.service == "dynamodb"} & set(self._functions)

    def idle(self) -> bool:
        """Tell whether all streams are read to their end and all queues are empty, of mappings that are
        enabled.
        """
        self._refresh()
        with self._lock:
            pollers = list(self._pollers.values())
        for poller in pollers:
            if not poller.is_alive():
                raise LocalStackError(f"the poller of {poller.mapping.source_arn} has died; stderr tells why")
        return all(poller.idle for poller in pollers)

    def _watch(self) -> None:
        while not self._stopping.wait(_REFRESH_INTERVAL):
            self._refresh()

    def _refresh(self) -> None:
        with self._lock:
            if self._stopping.is_set():
                return
            wanted = {mapping.id: mapping for mapping in self._listed() if mapping.enabled}
            for key, poller in list(self._pollers.items()):
                if wanted.get(key) != poller.mapping:
                    self._end(key, poller)
            for key, mapping in wanted.items():
                if key not in self._pollers and mapping not in self._refused:
                    self._begin(key, mapping)

    def _listed(self) -> list[EventSourceMapping]:
        pages = self._lambda.get_paginator("list_event_source_mappings").paginate()
        return [
            EventSourceMapping.from_configuration(configuration)
            for page in pages
            for configuration in page["EventSourceMappings"]
        ]

    def _begin(self, key: str, mapping: EventSourceMapping) -> None:
        try:
            poller = self._poller(mapping)
        except LocalStackError as error:
            self._refused.append(mapping)
            _LOG.warning("an event source mapping does not run: %s", error)
            return
        self._pollers[key] = poller
        poller.start()

    def _end(self, key: str, poller: Poller) -> None:
        poller.stop()
        poller.join()
        if isinstance(poller, StreamPoller):
            self._positions[key] = poller.position
        del self._pollers[key]

    def _poller(self, mapping: EventSourceMapping) -> Poller:
        function = self._functions.get(mapping.function)
        if function is None:
            raise LocalStackError(f"{mapping.function} is not a function of the template")
        if mapping.service == "sqs":
            name = mapping.source_arn.rpartition(":")[2]
            return QueuePoller(
                mapping,
                queue_url=self._sqs.get_queue_url(QueueName=name)["QueueUrl"],
                sqs=self._sqs,
                has_messages=lambda: moto_state.queue_has_messages(self._region, name),
                invoke=function.invoke,
            )
        shard = self._open_shard(mapping.source_arn)
        start = shard.latest() if mapping.starting_position == "LATEST" else shard.trim_horizon()
        return StreamPoller(
            mapping,
            position=self._positions.get(mapping.id, start),
            shard=shard,
            function=function.spec,
            invoke=function.invoke,
            send_failure=self._sender(mapping.on_failure) if mapping.on_failure else None,
        )

    def _sender(self, destination: str) -> Any:
        if destination.split(":")[2] != "sqs":
            raise LocalStackError(f"only SQS queues are supported as on-failure destinations, not {destination}")
        queue_url = self._sqs.get_queue_url(QueueName=destination.rpartition(":")[2])["QueueUrl"]

        def send(message: str) -> None:
            self._sqs.send_message(QueueUrl=queue_url, MessageBody=message)

        return send
