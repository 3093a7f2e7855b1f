"""What the readers send, over real connections: how many clients, connections and requests a read costs."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import Client

from reader import application
from tests.factories import HISTORY, SECRET, World, session
from tests.tables import create_table

KEY = {"sessionId": {"S": "dlg-1"}, "userId": {"S": "alice"}}
SERVICES = ("dynamodb", "kms")
AT = Decimal("1767340800.25")


class Service:
    """A service over HTTP that keeps connections open, as AWS's do, and counts them.

    Werkzeug's own server closes each one after its first answer.
    """

    def __init__(self) -> None:
        self.connections = 0
        self._moto = moto = Client(DomainDispatcherApplication(create_backend_app))
        service = self

        class Connection(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                service.connections += 1
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = moto.post(self.path, headers=list(self.headers.items()), data=body)
                self.send_response(answer.status_code)
                for name, text in answer.headers:
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(answer.data)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Connection)
        self.server.daemon_threads = True  # A connection that is kept open has one that waits.
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        # What moto holds in this process is every service's, and the next test's.
        assert self._moto.post("/moto-api/reset").status_code == 200
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def serving() -> Iterator[Service]:
    service = Service()
    Thread(target=service.server.serve_forever, daemon=True).start()
    try:
        yield service
    finally:
        service.stop()


class Counted:
    """The readers over services that count."""

    def __init__(self, world: World, services: dict[str, Service]) -> None:
        self.world = world
        self.services = services
        self.clients: Counter[str] = Counter()
        assert boto3.DEFAULT_SESSION is not None
        boto3.DEFAULT_SESSION.events.register("creating-client-class", self._client)

    def _client(self, event_name: str, **_: Any) -> None:
        self.clients[event_name.partition(".")[2]] += 1

    def forget(self) -> None:
        self.world.calls.clear()
        self.clients.clear()
        for service in self.services.values():
            service.connections = 0

    @property
    def connections(self) -> dict[str, int]:
        return {name: service.connections for name, service in self.services.items()}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    with ExitStack() as stack:
        services = {name: stack.enter_context(serving()) for name in SERVICES}
        for name, service in services.items():
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name.upper()}", service.url)
        yield Counted(World(monkeypatch), services)
        application.reader.cache_clear()
        application.item_reader.cache_clear()
        boto3.setup_default_session()


def by_api(world: World) -> None:
    assert world.call("GET", "dlg-1").body["history"] == [{"type": "human", "content": SECRET, "at": AT}]


def by_item(world: World) -> None:
    assert world.item({"Key": KEY})["Item"]["history"] == HISTORY


def by_put(world: World) -> None:
    assert world.put("dlg-1", {"name": "Tides"}).status == 200


READERS = [pytest.param(by_api, id="api"), pytest.param(by_item, id="item")]


@pytest.fixture
def encrypted(counted: Counted) -> Counted:
    """A session that is stored encrypted, and readers that have not started."""
    world = counted.world
    world.store(session())
    by_api(world)
    world.set(READ_CACHE_SECONDS="60")
    counted.forget()
    return counted


@pytest.mark.parametrize("read", READERS)
def test_given_fifty_reads_when_one_follows_the_other_then_each_service_has_one_connection_and_they_cost_what_they_must(
    encrypted: Counted, read: Callable[[World], None]
) -> None:
    for _ in range(50):
        read(encrypted.world)

    assert encrypted.connections == {"dynamodb": 1, "kms": 1}
    # The second of DynamoDB's is for writes that are sent once; it opens no connection before the first of them.
    assert encrypted.clients == {"dynamodb": 2, "kms": 1}
    assert Counter(encrypted.world.calls) == {"DescribeTable": 1, "DescribeKey": 1, "GetItem": 50, "Decrypt": 1}


@pytest.mark.parametrize("read", READERS)
def test_given_a_control_table_when_an_item_is_read_then_the_setting_is_asked_for_in_every_invocation_and_no_more(
    encrypted: Counted, read: Callable[[World], None]
) -> None:
    create_table(encrypted.world.dynamodb, "control", "id", "part")
    encrypted.world.set(CONTROL_TABLE_NAME="control", SETTING_CACHE_SECONDS="5")
    read(encrypted.world)
    encrypted.forget()

    for _ in range(10):
        read(encrypted.world)

    assert Counter(encrypted.world.calls) == {"GetItem": 20}
    assert encrypted.connections == {"dynamodb": 0, "kms": 0}
    assert not encrypted.clients


def test_given_writes_between_reads_when_one_follows_the_other_then_they_have_one_connection_more(
    encrypted: Counted,
) -> None:
    for _ in range(10):
        by_put(encrypted.world)
        by_api(encrypted.world)

    assert encrypted.connections == {"dynamodb": 2, "kms": 1}
    assert encrypted.clients == {"dynamodb": 2, "kms": 1}
