"""Which address leads containers to this machine, and that what arrives there is passed on."""

import http.server
import json
import os
import socket
import socketserver
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.containers import Forwarder, bridge_gateway, reachable_from_containers

ENGINE = {"OperatingSystem": "Debian GNU/Linux 13", "ServerVersion": "29.0.1"}
DESKTOP = {"OperatingSystem": "Docker Desktop", "ServerVersion": "29.0.1"}
BRIDGE = {"Name": "bridge", "IPAM": {"Config": [{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}]}}
NO_GATEWAY = {"Name": "bridge", "IPAM": {"Config": []}}

Start = Callable[[dict[str, object]], None]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a container engine that answers documents by path, and name it in DOCKER_HOST."""
    with tempfile.TemporaryDirectory() as directory:  # a socket's path must be short
        path = Path(directory) / "engine.sock"
        servers = []

        def start(documents: dict[str, object]) -> None:
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    document = documents.get(self.path)
                    self.send_response(404 if document is None else 200)
                    self.end_headers()
                    self.wfile.write(json.dumps(document or {"message": "no such thing"}).encode())

                def log_message(self, *_: object) -> None:
                    """Print nothing."""

                def address_string(self) -> str:
                    return "unix"

            server = socketserver.ThreadingUnixStreamServer(os.fspath(path), Handler)
            servers.append(server)
            threading.Thread(target=server.serve_forever, daemon=True).start()

        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        yield start
        for server in servers:
            server.shutdown()
            server.server_close()


def test_docker_engine_and_podman_name_the_gateway_of_their_bridge(engine: Start):
    engine({"/info": ENGINE, "/networks/bridge": BRIDGE})
    assert bridge_gateway() == "172.17.0.1"


@pytest.mark.parametrize(
    "documents",
    [
        pytest.param({"/info": DESKTOP, "/networks/bridge": BRIDGE}, id="docker-desktop-whose-bridge-is-elsewhere"),
        pytest.param({"/info": ENGINE}, id="no-bridge"),
        pytest.param({"/info": ENGINE, "/networks/bridge": NO_GATEWAY}, id="bridge-without-gateway"),
        pytest.param({}, id="not-an-engine"),
    ],
)
def test_otherwise_the_name_of_docker_desktop_is_used(engine: Start, documents: dict[str, object]):
    engine(documents)
    assert bridge_gateway() is None
    with reachable_from_containers(4566) as host:
        assert host == "host.docker.internal"


@pytest.mark.parametrize("docker_host", ["unix:///nowhere/engine.sock", "tcp://192.0.2.1:2375"])
def test_no_engine_on_this_machine_is_no_error(monkeypatch: pytest.MonkeyPatch, docker_host: str):
    monkeypatch.setenv("DOCKER_HOST", docker_host)
    assert bridge_gateway() is None


@pytest.fixture
def upper_case_port() -> Iterator[int]:
    """A server on 127.0.0.1 that answers what it gets, to its end, in upper case."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(self.rfile.read().upper())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_what_arrives_is_passed_on_in_both_directions(upper_case_port: int):
    with Forwarder(("127.0.0.1", 0), ("127.0.0.1", upper_case_port)) as forwarder:
        threading.Thread(target=forwarder.serve_forever, daemon=True).start()
        with socket.create_connection(forwarder.server_address, timeout=10) as connection:  # type: ignore[arg-type]
            connection.sendall(b"a" * 300_000)
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as answer:
                assert answer.read() == b"A" * 300_000
        forwarder.shutdown()


def test_an_address_that_cannot_be_listened_on_leaves_the_stack_running(
    engine: Start, upper_case_port: int, caplog: pytest.LogCaptureFixture
):
    taken = {"Name": "bridge", "IPAM": {"Config": [{"Gateway": "127.0.0.1"}]}}
    engine({"/info": ENGINE, "/networks/bridge": taken})
    with reachable_from_containers(upper_case_port) as host:
        assert host == "host.docker.internal"
    assert "containers do not reach the stack" in caplog.text
