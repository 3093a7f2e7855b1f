"""How containers reach this machine, for functions that `sam local invoke` runs in one.

Under Docker Desktop the name `host.docker.internal` leads to 127.0.0.1 of this machine. Under Docker Engine or Podman
on Linux nothing does: containers reach the gateway of their bridge only, an address of this machine that they and
nobody else use. What arrives there is passed on.
"""

import http.client
import json
import logging
import os
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_LOG = logging.getLogger(__name__)
_DESKTOP_NAME = "host.docker.internal"
_SOCKET = "unix:///var/run/docker.sock"
_IP_FREEBIND = 15  # Linux: the bridge may come into being with the first container only.

Address = tuple[str, int]


@contextmanager
def reachable_from_containers(port: int) -> Iterator[str]:
    """Yield the host under which containers reach the port of 127.0.0.1, for as long as the block lasts."""
    gateway = bridge_gateway()
    if gateway is None:
        yield _DESKTOP_NAME
        return
    try:
        forwarder = Forwarder((gateway, port), ("127.0.0.1", port))
    except OSError as error:
        _LOG.warning("containers do not reach the stack: cannot listen on %s:%s: %s", gateway, port, error)
        yield _DESKTOP_NAME
        return
    with forwarder:
        threading.Thread(target=forwarder.serve_forever, name="containers", daemon=True).start()
        try:
            yield gateway
        finally:
            forwarder.shutdown()


def bridge_gateway() -> str | None:
    """Return the gateway of the container engine's bridge; None under Docker Desktop, or where no engine answers.

    The engine is that of `DOCKER_HOST`, as for SAM CLI, if it is on this machine.
    """
    path = os.environ.get("DOCKER_HOST", _SOCKET).removeprefix("unix://")
    try:
        if _ask(path, "/info").get("OperatingSystem") == "Docker Desktop":
            return None
        gateway: str = _ask(path, "/networks/bridge")["IPAM"]["Config"][0]["Gateway"]
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return None
    return gateway


def _ask(path: str, resource: str) -> dict[str, Any]:
    connection = _UnixConnection(path)
    try:
        connection.request("GET", resource)
        document: dict[str, Any] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return document


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=2)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Forwarder(socketserver.ThreadingTCPServer):
    """Passes connections to one address on to another."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: Address, target: Address) -> None:
        """Listen on `address`; raise `OSError` where that is impossible."""
        self.target = target
        super().__init__(address, _Forwarding)

    def server_bind(self) -> None:
        """Bind even to an address that this machine does not have yet, where it can."""
        with suppress(OSError):
            self.socket.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        super().server_bind()


class _Forwarding(socketserver.BaseRequestHandler):
    server: Forwarder

    def handle(self) -> None:
        with suppress(OSError), socket.create_connection(self.server.target) as target:
            back = threading.Thread(target=_pass_on, args=(target, self.request), daemon=True)
            back.start()
            _pass_on(self.request, target)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
