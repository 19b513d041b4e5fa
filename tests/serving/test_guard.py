"""Requests that the page does not make end before Gradio."""

import asyncio
import json
import re

import pytest

from keras_reid.serving.guard import Guard

LIMIT = 1000
EVENTS = {0: (dict, str, bool), 2: (type(None),)}


class Inner:
    """Answers 200 and keeps the body."""

    def __init__(self):
        self.body = None

    async def __call__(self, scope, receive, send):
        self.body = (await receive())["body"] if scope["method"] == "POST" else b""
        headers = [(b"x-frame-options", b"ALLOWALL"), (b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"inner"})


@pytest.fixture
def uploads(tmp_path):
    folder = tmp_path / "uploads"
    folder.mkdir()
    return folder


def ask(uploads, method, path, body=b"", any_host=False, chunks=None, **headers):
    inner, sent = Inner(), []
    given = {"host": "127.0.0.1:7860", "content-length": str(len(body)), **headers}
    scope = {
        "type": "http", "method": method, "path": path,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
    }  # fmt: skip
    parts = list(chunks or [body])

    async def receive():
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message):
        sent.append(message)

    asyncio.run(Guard(inner, uploads, LIMIT, EVENTS, any_host)(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"], inner.body


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/gradio_api/file=/etc/passwd"),
        ("GET", "/gradio_api/file/etc/passwd"),
        ("GET", "/gradio_api/proxy=http://127.0.0.1:22/"),
        ("GET", "/assets/../../../etc/passwd"),
        ("GET", "/static/..%2f..%2fetc/passwd"),
        ("GET", "/gradio_api/info"),
        ("GET", "/gradio_api/openapi.json"),
        ("GET", "/monitoring"),
        ("GET", "/gradio_api/vibe-code/"),
        ("GET", "/docs"),
        ("POST", "/gradio_api/run/look"),
        ("POST", "/gradio_api/call/look"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/gradio_api/vibe-edit/"),
        ("POST", "/"),
        ("PUT", "/"),
        ("OPTIONS", "/"),
    ],
)
def test_other_routes_are_closed(method, path, uploads):
    status, _, said, inner = ask(uploads, method, path)
    assert status == 404 and json.loads(said) == {"detail": "There is nothing here."} and inner is None


@pytest.mark.parametrize("path", ["/", "/config", "/assets/index-AB_1.js", "/gradio_api/queue/data", "/theme.css"])
def test_the_page_passes_under_its_own_headers(path, uploads):
    status, headers, said, _ = ask(uploads, "GET", path)
    assert status == 200 and said == b"inner"
    assert headers[b"x-frame-options"] == b"DENY"
    assert b"connect-src 'self'" in headers[b"content-security-policy"]
    assert (headers.get(b"cache-control") == b"no-store") == (not path.startswith("/assets"))


def test_names_of_other_sites_are_refused(uploads):
    for host in ("evil.example", "127.0.0.1.evil.example", "", "[", "localhost@evil.example"):
        assert ask(uploads, "GET", "/", host=host)[0] == 403
    for host in ("localhost:7860", "[::1]:7860", "127.0.0.1"):
        assert ask(uploads, "GET", "/", host=host)[0] == 200
    assert ask(uploads, "GET", "/", host="reid.example.org", any_host=True)[0] == 200


def test_pages_of_other_sites_are_refused(uploads):
    for origin in ("http://evil.example", "null", "http://127.0.0.1:8000", "file://", "http://["):
        assert ask(uploads, "POST", "/gradio_api/queue/join", b"{}", origin=origin)[0] == 403
    own = {"host": "reid.example.org", "origin": "https://reid.example.org", "any_host": True}
    assert ask(uploads, "POST", "/gradio_api/queue/join", event_of(2, [None]), **own)[0] == 200


def test_bodies_have_a_size(uploads):
    upload, small = "/gradio_api/upload", 64 * 1024
    assert ask(uploads, "POST", upload, b"x" * (small + LIMIT))[0] == 200
    assert ask(uploads, "POST", upload, b"x" * (small + LIMIT + 1))[0] == 413
    assert ask(uploads, "POST", "/gradio_api/queue/join", b" " * (small + 1))[0] == 413
    assert ask(uploads, "POST", upload, content_length="many")[0] == 413
    status, _, _, inner = ask(uploads, "POST", upload, chunks=[b"x" * small, b"y" * LIMIT])
    assert status == 200 and inner == b"x" * small + b"y" * LIMIT
    assert ask(uploads, "POST", upload, chunks=[b"x" * small, b"y" * LIMIT, b"z"])[0] == 413  # none is announced


@pytest.mark.parametrize("name", ["crop.jpg", "", "../../x", 'a\\"b.jpg', "<script>", "é.png"])
def test_an_upload_has_a_name_of_ours(name, uploads):
    def sent():
        head = f'--b\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
        return ask(uploads, "POST", "/gradio_api/upload", head + b'\xff; filename="kept"\r\n--b--\r\n')[3]

    pattern = rb'--b\r\nContent-Disposition: form-data; name="files"; filename="([0-9a-f]{32})"\r\n\r\n(.*)'
    first, second = (re.fullmatch(pattern, body, re.DOTALL) for body in (sent(), sent()))
    assert first[1] != second[1] and first[2] == second[2] == b'\xff; filename="kept"\r\n--b--\r\n'


def event(path):
    return event_of(0, [{"path": path, "meta": {"_type": "gradio.FileData"}}, "", False])


def event_of(number, data, **more):
    return json.dumps({"fn_index": number, "data": data, "session_hash": "s", **more}).encode()


def test_files_are_named_only_if_they_were_uploaded(uploads, tmp_path):
    (uploads / "0a1b").mkdir()
    (uploads / "0a1b" / "crop.jpg").write_bytes(b"")
    (uploads / "link").symlink_to("/etc/passwd")
    (tmp_path / "uploads-not").mkdir()
    join = "/gradio_api/queue/join"
    assert ask(uploads, "POST", join, event(str(uploads / "0a1b" / "crop.jpg")))[0] == 200
    refused = (
        "/etc/passwd", f"{uploads}/../secret", f"{uploads}/0a1b/../../../etc/passwd", str(uploads / "link"),
        str(uploads), str(tmp_path / "uploads-not" / "x"), "crop.jpg", "http://127.0.0.1/x.jpg", "a\x00b", "x" * 9000,
        None, 7, ["/etc/passwd"], {"path": "/etc/passwd"},
    )  # fmt: skip
    for path in refused:
        status, _, said, inner = ask(uploads, "POST", join, event(path))
        assert status == 400 and b"never by its path" in said and inner is None, path
    for broken in (b"", b"{", b"\xff", b"[" * 60_000):
        assert ask(uploads, "POST", join, broken)[0] == 400


@pytest.mark.parametrize(
    "event",
    [
        event_of(99, [None]), event_of(2, []), event_of(2, [{"crop": 1}]), event_of(0, ["crop.jpg", "", False]),
        event_of(0, [None, 7, False]), event_of(0, [None, "", "yes"]), event_of(0, [{}, "", False]),
        event_of([2], [None]), event_of(True, [None]), event_of(2, None), event_of(2, [None], session_hash=None),
        b"[]", b"null",
    ],
)  # fmt: skip
def test_only_the_events_of_the_page_pass(event, uploads):
    status, _, said, inner = ask(uploads, "POST", "/gradio_api/queue/join", event)
    assert (status, json.loads(said), inner) == (400, {"detail": "This is no event of the page."}, None)
    clicked = event_of(2, [None], event_data={"number": "1"})
    assert ask(uploads, "POST", "/gradio_api/queue/join", clicked)[0] == 200


def test_web_sockets_are_closed(uploads):
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(Guard(Inner(), uploads, LIMIT, EVENTS)({"type": "websocket"}, None, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]
