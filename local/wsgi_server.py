"""A WSGI application served in a thread, bound to 127.0.0.1."""

import socket
import threading
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from local.errors import LocalStackError, PortInUseError


def listening_socket(port: int) -> socket.socket:
    """Return a socket that listens on 127.0.0.1; raise `PortInUseError`."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise PortInUseError(port) from error
    except OverflowError as error:
        listener.close()
        raise LocalStackError(f"{port} is not a port: give one from 0 to 65535") from error
    return listener


class QuietHandler(WSGIRequestHandler):
    """Handles requests without an access log: addresses have codes in them."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Print nothing."""


class WsgiServer:
    """The running server.

    Attributes:
        port: where it listens.
        url: its origin.
    """

    def __init__(
        self, port: int, application: Any, name: str, handler: type[WSGIRequestHandler] = QuietHandler
    ) -> None:
        """Serve on a port, 0 for any free one, in a thread of that name; raise `LocalStackError` where impossible."""
        with listening_socket(port) as listener:
            self.port: int = listener.getsockname()[1]
            self.url = f"http://127.0.0.1:{self.port}"
            self._server: BaseWSGIServer = make_server(
                "127.0.0.1", self.port, application, threaded=True, request_handler=handler, fd=listener.fileno()
            )
        self._thread = threading.Thread(target=self._server.serve_forever, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
