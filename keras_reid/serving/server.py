"""Runs the page until it is stopped."""

import errno
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from keras_reid.serving.page import page

if TYPE_CHECKING:
    from keras_reid.gallery import Gallery

__all__ = ["check_reachable", "serve"]

_LOCAL = ("127.0.0.1", "localhost", "::1")


def serve(
    gallery: "Gallery",
    model: Any,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    top: int = 10,
    max_upload_mb: float = 5,
    auth: tuple[str, str] | None = None,
    started: Callable[[str], None] | None = None,
) -> None:
    """Serves the page of a gallery until the process is interrupted.

    Args:
        gallery: An open gallery.
        model: The model that it was opened with.
        host: Address to listen on. Any but this computer's own needs `auth`.
        port: Port to listen on; 0 for a free one.
        top: How many matches are shown.
        max_upload_mb: Size of an image file, in MB of 2^20 bytes.
        auth: User and password.
        started: Called with the page's address once it is there.

    Raises:
        ImportError: Gradio is not installed.
        OSError: The port is in use, or the host is not this computer.
        ValueError: The host is not local and there is no password, or a number is out of range.

    Example:
        >>> from keras_reid.serving import serve
        >>> with Gallery("people.db", model) as gallery:  # doctest: +SKIP
        ...     serve(gallery, model, started=print)
        http://127.0.0.1:7860
    """
    check_reachable(host, auth)
    with (
        _listening(host, port) as listener,
        page(gallery, model, top=top, max_upload_mb=max_upload_mb, auth=auth) as app,
    ):
        server = _server(app)
        if started is not None:
            shown = f"[{host}]" if ":" in host else host
            started(f"http://{shown}:{listener.getsockname()[1]}")
        server.run(sockets=[listener])


def _server(app: Any) -> Any:
    import uvicorn

    class Server(uvicorn.Server):
        """Hangs up when it is stopped: every open page holds a connection for as long as it is open."""

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            for connection in list(self.server_state.connections):
                connection.transport.close()
            await super().shutdown(sockets)

    return Server(
        uvicorn.Config(app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=2)
    )


def check_reachable(host: str, auth: tuple[str, str] | None) -> None:
    """Refuses a page that other computers reach and that asks nobody for a password.

    Args:
        host: Address to listen on.
        auth: User and password.

    Raises:
        ValueError: It is such a page.

    Example:
        >>> from keras_reid.serving.server import check_reachable
        >>> check_reachable("0.0.0.0", ("me", "secret"))
    """
    if host not in _LOCAL and auth is None:
        raise ValueError(
            f"A page that other computers reach needs a password. Received: the host {host!r} and none. Give host "
            "127.0.0.1, or a user and a password: `auth=(user, password)`; on the command line "
            "KERAS_REID_SERVE_AUTH=user:password in the environment."
        )


def _listening(host: str, port: int) -> socket.socket:
    """A socket of our own: that a port is in use is known before anything is started, and said in a sentence."""
    if not 0 <= port < 2**16:
        raise ValueError(f"`port` must be a number from 0 to 65535. Received: {port}.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise OSError(f"Port {port} is in use. Stop what uses it, or give another port.") from error
        raise OSError(f"Cannot listen on {host}, port {port}: {error.strerror or error}.") from error
