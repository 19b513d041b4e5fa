"""What stands before Gradio: which requests pass at all, how large they may be, and which files they may name.

Gradio's server does much that this page has no use for: it serves files, forwards to other servers, keeps histories.
And an event may name a file by its path on the server. Whatever is not needed is refused before Gradio sees it.
"""

import json
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Guard"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_GET = re.compile(
    r"/|/config/?|/theme\.css|/favicon\.ico|/manifest\.json|/robots\.txt|/logout"
    r"|/(assets|static|svelte)/[\w@.+/-]+"
    r"|/gradio_api/(startup-events|theme\.css|app_id|login_check|queue/data|upload_progress|heartbeat/\w+)/?"
)
_POST = re.compile(r"/login/?|/gradio_api/(upload|queue/join|cancel|reset)/?")
_FILE_NAME = re.compile(rb'(; ?filename=)"(?:[^"\\\r\n]|\\.)*"', re.IGNORECASE)
_LOCAL = ("localhost", "127.0.0.1", "::1")
_SMALL = 64 * 1024  # bytes of a request that carries no image, and of what stands around one
_NO_EVENT = "This is no event of the page."
_HEADERS = {
    # Nothing is loaded from, or sent to, another host. Gradio's own script is written in the page, and makes functions
    # of text.
    "content-security-policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class Guard:
    """ASGI middleware that lets the page's own requests through.

    Args:
        app: What is guarded.
        uploads: The folder that an uploaded file lies in; no request may name another file.
        most_bytes: Size of an upload.
        events: The page's events: number -> types of what each carries; ``dict`` is a file. ``None`` may stand for any.
        any_host: Whether the page may be asked for under any name. Without a password it may not: a page of another
            site could have its own name lead to this computer, and read the gallery in a visitor's browser.
    """

    def __init__(
        self,
        app: Any,
        uploads: Path,
        most_bytes: int,
        events: Mapping[int, tuple[type, ...]],
        any_host: bool = False,
    ):
        self.app, self.uploads, self.most_bytes = app, uploads.resolve(), most_bytes
        self.events, self.any_host = events, any_host

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers a request, or hands it on.

        Args:
            scope: What ASGI says of the request.
            receive: Gives its body.
            send: Takes the answer.
        """
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope["method"], scope["path"], headers)
        body = b""
        if refusal is None and scope["method"] == "POST":
            limit = _SMALL + self.most_bytes * scope["path"].startswith("/gradio_api/upload")
            body, refusal = await _body(receive, headers, limit)
            if scope["path"].startswith("/gradio_api/upload"):
                body = _renamed(body)
            elif refusal is None and scope["path"].startswith("/gradio_api/queue/join"):
                refusal = self._refused_event(body)
        answer = _with_headers(send, keep=scope["path"].startswith(("/assets/", "/static/")))
        if refusal is not None:
            await _refuse(answer, *refusal)
            return
        await self.app(scope, receive if scope["method"] != "POST" else _replay(body, receive), answer)

    def _refusal(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if not self.any_host and _name(host) not in _LOCAL:
            return 403, "This page is for this computer. Open it as http://127.0.0.1 or http://localhost."
        if "origin" in headers and _place(headers["origin"]) != host.lower():
            return 403, "Pages of other sites may not ask this one."
        allowed = {"GET": _GET, "HEAD": _GET, "POST": _POST}.get(method)
        if allowed is None or not allowed.fullmatch(path) or ".." in path:
            return 404, "There is nothing here."
        return None

    def _refused_event(self, body: bytes) -> tuple[int, str] | None:
        """Compares an event with those that the page has, and looks for files in it."""
        try:
            event = json.loads(body)
            paths = list(_paths(event))
        except (ValueError, RecursionError):
            return 400, _NO_EVENT
        if not all(isinstance(path, str) and self._uploaded(path) for path in paths):
            return 400, "A file is taken only as an upload, never by its path."
        return None if self._has(event) else (400, _NO_EVENT)

    def _has(self, event: Any) -> bool:
        if not isinstance(event, dict) or not isinstance(event.get("session_hash"), str):
            return False
        number, carried = event.get("fn_index"), event.get("data")
        types = self.events.get(number) if type(number) is int else None
        if types is None or not isinstance(carried, list) or len(carried) != len(types):
            return False
        return all(_is(value, kind) for value, kind in zip(carried, types, strict=True))

    def _uploaded(self, path: str) -> bool:
        try:
            return self.uploads in Path(path).resolve().parents
        except (OSError, ValueError):  # a name that no file system takes
            return False


def _is(value: Any, kind: type) -> bool:
    """Whether an event may carry it: nothing, or a value of the type, which is a file if it is a dictionary."""
    return value is None or (isinstance(value, kind) and (not isinstance(value, dict) or "path" in value))


def _name(host: str) -> str:
    """The name in a Host header, without the port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _place(origin: str) -> str:
    """Name and port in an Origin header."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _paths(value: Any) -> Iterator[Any]:
    """Everything that an event names by `path`, however deep."""
    if isinstance(value, dict):
        if "path" in value:
            yield value["path"]
        for part in value.values():
            yield from _paths(part)
    elif isinstance(value, list):
        for part in value:
            yield from _paths(part)


async def _body(receive: Receive, headers: dict[str, str], limit: int) -> tuple[bytes, tuple[int, str] | None]:
    """The request's body, or why it is not read to its end."""
    refusal = 413, f"This is too large: {limit // 1024} KB are taken."
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > limit:
        return b"", refusal
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"", (400, "The request was cut short.")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            return b"", refusal
        more = message.get("more_body", False)
    return b"".join(parts), None


def _renamed(body: bytes) -> bytes:
    """An upload under a name of ours: Gradio would give two visitors' equal files one place, and the first takes it."""
    return _FILE_NAME.sub(lambda found: found[1] + b'"%s"' % secrets.token_hex(16).encode(), body, count=1)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read already, and then what else comes."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def _with_headers(send: Send, keep: bool) -> Send:
    """Adds our headers to an answer; nothing but the page's own scripts and fonts stays in a browser's cache."""
    ours = _HEADERS if keep else {**_HEADERS, "cache-control": "no-store"}
    added = [(name.encode(), value.encode()) for name, value in ours.items()]

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message.get("headers", []) if pair[0].lower().decode("latin-1") not in ours]
            message = {**message, "headers": kept + added}
        await send(message)

    return answer


async def _refuse(send: Send, status: int, sentence: str) -> None:
    content = json.dumps({"detail": sentence}).encode()
    kind = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": kind})
    await send({"type": "http.response.body", "body": content})
