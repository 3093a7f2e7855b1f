"""What stands still and makes no noise by itself: looked at on a schedule, and told in metrics that alarms watch.

::

    MappingsDisabled   event source mappings that deliver nothing
    StreamReplaced     1 where the table writes to another stream than the one that triggers encryption
    SweepStandstill    seconds since a running sweep last committed a page, or was resumed
    OldestFailureAge   seconds since a dead letter was first sent: of those sampled, so a lower bound

It needs neither an item nor a key, so that it sees while nothing else can start. What became of sweeps it tells people,
through the topic that alarms notify: it does so for all, so that no sweep ever waits for a topic.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from encryptor_runtime.clients import Clients
from encryptor_runtime.queues import Queue
from encryptor_runtime.table_stream import check_stream
from encryptor_runtime.telemetry import Telemetry
from item_crypto.errors import ConfigurationError, ItemCryptoError, SystemicError, TransientError
from migrator.notices import due, is_looked_at
from migrator.progress import State, Sweep, came_forward
from migrator.queries import ENABLED, mapping_state
from migrator.sweeps import Sweeps
from migrator.telling import Telling

_SAMPLE: Final = 10  # Letters, as many as one request gives. SQS picks them; over a day all but surely the oldest too.
_HIDDEN: Final = 30  # Seconds until a sampled letter is seen again where showing it again fails.


@dataclass(frozen=True)
class Watcher:
    """Looks at everything once.

    Attributes:
        clients: the services' clients.
        table: the table's name.
        stream_arn: the stream that triggers encryption.
        mapping_ids: the event source mappings.
        sweeps: how far sweeps have come.
        failure: the failure queue.
        telemetry: where it is told.
        now: returns the time, aware.
        telling: sends notices; None where there is no topic.
        stalled_after: for how long a sweep that runs may commit no page before that is told.
        stack: the stack's name.
    """

    clients: Clients
    table: str
    stream_arn: str
    mapping_ids: Sequence[str]
    sweeps: Sweeps
    failure: Queue
    telemetry: Telemetry
    now: Callable[[], datetime]
    telling: Telling | None
    stalled_after: timedelta
    stack: str

    def look(self) -> None:
        """Look at everything; what one service does not tell keeps nobody from looking at the rest.

        Raises:
            TransientError, SystemicError: a service did not answer; the first such error, after the rest was looked at.
        """
        first: ItemCryptoError | None = None
        for look in (self._at_mappings, self._at_stream, self._at_sweeps, self._at_letters, self._tell):
            try:
                look()
            except (TransientError, SystemicError) as error:
                first = first or error
        if first is not None:
            raise first

    def _at_mappings(self) -> None:
        disabled = {
            mapping_id: state
            for mapping_id in self.mapping_ids
            if (state := mapping_state(self.clients.mappings, mapping_id)) not in ENABLED
        }
        self.telemetry.count("MappingsDisabled", len(disabled))
        for mapping_id, state in disabled.items():
            self.telemetry.problem("an event source mapping delivers nothing", mapping=mapping_id, state=state)

    def _at_stream(self) -> None:
        try:
            check_stream(self.clients.dynamodb, self.table, self.stream_arn)
        except ConfigurationError as error:
            self.telemetry.count("StreamReplaced")
            self.telemetry.problem("the stream triggers nothing any more", detail=str(error))
        else:
            self.telemetry.count("StreamReplaced", 0)

    def _at_sweeps(self) -> None:
        running = [sweep for sweep in self.sweeps.newest() if sweep.state is State.RUNNING]
        self.telemetry.seconds("SweepStandstill", map(self._standstill, running))

    def _standstill(self, sweep: Sweep) -> float:
        return max(0.0, (self.now() - came_forward(sweep, self.sweeps.segments(sweep))).total_seconds())

    def _tell(self) -> None:
        """Tell what is to be told of sweeps; one notice that cannot be sent keeps nobody from the others."""
        if self.telling is None:
            return
        now, first = self.now(), None
        for sweep in self.sweeps.newest():
            if not is_looked_at(sweep, now):
                continue
            for notice in due(sweep, self.sweeps.segments(sweep), now, self.stalled_after, self.stack):
                try:
                    told = self.telling.tell(notice)
                except (TransientError, SystemicError) as error:
                    first = first or error
                    self.telemetry.problem(
                        "a notice was not sent", sweep=sweep.id, event=notice.event, reason=error.reason
                    )
                else:
                    if told:
                        self.telemetry.log("a notice was sent", sweep=sweep.id, event=notice.event)
        if first is not None:
            raise first

    def _at_letters(self) -> None:
        letters = self.failure.receive(_SAMPLE, _HIDDEN)
        # Before anything else: whoever lists or redrives them must not miss one.
        for letter in letters:
            with suppress(ItemCryptoError):
                self.failure.show_again(letter["ReceiptHandle"])
        ages = [self.now().timestamp() - int(letter["Attributes"]["SentTimestamp"]) / 1000 for letter in letters]
        self.telemetry.seconds("OldestFailureAge", [max(0.0, *ages)] if ages else [])
