"""The page by its own requests, as a browser and as an attacker sends them; without a port."""

import asyncio
import json
import os
import tempfile
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from keras_reid.serving import page
from tests.serving.conftest import announced_png

pytestmark = [
    # Gradio keeps its own record of events with an option and an argument that pandas has deprecated.
    pytest.mark.filterwarnings("ignore:.*no_silent_downcasting:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated:DeprecationWarning"),
]
NEW = count()
LOOK, AGAIN, OPEN, ASK, REMOVE, KEEP = range(6)


class Visitor:
    """A browser's part of Gradio's protocol."""

    def __init__(self, client):
        self.client, self.session = client, f"session{next(NEW)}"

    def upload(self, content, name="crop.png"):
        return self.client.post("/gradio_api/upload", files={"files": (name, content)})

    def join(self, number, data, clicked=None):
        body = {"fn_index": number, "data": data, "session_hash": self.session, "event_data": clicked}
        return self.client.post("/gradio_api/queue/join", json=body)

    def event(self, number, data, clicked=None):
        """Sends an event and returns what it answers: the page's parts."""
        joined = self.join(number, data, clicked)
        assert joined.status_code == 200, joined.text
        with self.client.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.session}) as lines:
            messages = [json.loads(line[5:]) for line in lines.iter_lines() if line.startswith("data:")]
        (sent,) = [message for message in messages if message["msg"] == "process_completed"]
        assert sent["success"], sent
        message, _, crop, matches, pair, _, question, _ = sent["output"]["data"]
        return {"message": message, "crop": crop, "matches": matches, "pair": pair, "question": question}

    def drop(self, content):
        (path,) = self.upload(content).json()
        return self.event(LOOK, [file(path), "", False])


def file(path):
    return {"path": path, "orig_name": "crop.png", "size": 9, "url": None, "meta": {"_type": "gradio.FileData"}}


@contextmanager
def opened(desk, **options):
    """The page, made while an event loop runs: without one Gradio makes loops, and never closes them."""
    own_page = page(desk.gallery, desk.model, **options)

    async def entered():
        return own_page.__enter__()

    yield asyncio.run(entered())
    own_page.__exit__(None, None, None)


@pytest.fixture(scope="module")
def app(desk):
    with opened(desk, top=5, max_upload_mb=0.1) as made:
        yield made


@pytest.fixture(scope="module")
def client(app):
    with TestClient(app, base_url="http://127.0.0.1:7860") as client:
        yield client


@pytest.fixture
def crop(people):
    return Path(people.query.path[list(people.query.person_id).index(4)]).read_bytes()


def test_from_dropping_a_crop_to_removing_a_person(client, desk, crop, capfd):
    visitor = Visitor(client)
    seen = visitor.drop(crop)
    assert seen["matches"].count("<article") == 5 and "data:image/jpeg" in seen["crop"] and seen["message"] == ""
    assert "is gone" in visitor.event(OPEN, [None], {"number": "1"})["message"]  # the crop itself, without its file
    seen = visitor.event(OPEN, [None], {"number": "2"})
    assert seen["message"] == "" and "data:image/png" in seen["pair"]
    asked = visitor.event(ASK, [None], {"number": "2"})
    assert "7 entries of person 4 will be removed" in asked["message"] and asked["question"]["visible"] is True
    before = len(desk.gallery)
    assert "Nothing was removed" in visitor.event(KEEP, [])["message"] and len(desk.gallery) == before
    assert "Choose first" in visitor.event(REMOVE, [None, None, False])["message"] and len(desk.gallery) == before
    visitor.event(ASK, [None], {"number": "2"})
    done = visitor.event(REMOVE, [None, None, True])
    assert f"{before - len(desk.gallery)} entries removed" in done["message"] and len(desk.gallery) == before - 7
    assert "no match 99" in visitor.event(OPEN, [None], {"number": "99"})["message"]
    assert "Traceback" not in "".join(capfd.readouterr())


def test_a_search_belongs_to_its_visitor(client, crop):
    Visitor(client).drop(crop)
    assert "too old" in Visitor(client).event(OPEN, [None], {"number": "1"})["message"]


def test_two_visitors_drop_the_same_file(client, crop):
    visitors = Visitor(client), Visitor(client)
    paths = [visitor.upload(crop).json()[0] for visitor in visitors]
    for visitor, path in zip(visitors, paths, strict=True):
        assert "<article" in visitor.event(LOOK, [file(path), "", False])["matches"]


@pytest.mark.parametrize(
    "content", [b"no image", b"", announced_png(5000, 5000), announced_png(60_000, 60_000)], ids="abcd"
)
def test_what_is_no_crop_is_a_sentence_of_the_page(content, client, capfd):
    assert "reid-said wrong" in Visitor(client).drop(content)["message"]
    assert "Traceback" not in "".join(capfd.readouterr())


def test_a_large_file_is_refused(client):
    visitor = Visitor(client)
    assert visitor.upload(b"x" * 2**20).status_code == 413  # before it is read
    assert visitor.upload(b"x" * (2**20 // 10 + 100)).status_code == 413  # by Gradio, which knows the file in it


def uploaded():
    """Files with something in them; Gradio's empty ones are deleted a minute later."""
    files = Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*")
    return [path for path in files if path.is_file() and path.stat().st_size]


@pytest.mark.parametrize("name", ["../../../evil.png", "/etc/evil.png", "..\\evil.png", "<script>.png", "a\nb.png"])
def test_an_upload_stays_in_its_folder_whatever_its_name(name, client, crop):
    visitor = Visitor(client)
    (path,) = visitor.upload(crop, name).json()
    assert uploaded() == [Path(path)]
    assert "<article" in visitor.event(LOOK, [file(path), "", False])["matches"]
    assert uploaded() == []  # read, and deleted


@pytest.mark.parametrize("path", ["/etc/passwd", "../../etc/passwd", "http://127.0.0.1:7860/config", "", None])
def test_a_path_of_the_client_is_refused(path, client, capfd):
    answer = Visitor(client).join(LOOK, [file(path), "", False])
    assert answer.status_code == 400 and "never by its path" in answer.text
    assert uploaded() == [] and "Traceback" not in "".join(capfd.readouterr())


def test_gradio_refuses_a_path_too(app, people):
    """Behind the guard, which is left out here."""
    (inner,) = [route.app for route in app.routes if hasattr(route, "app")]
    with TestClient(inner, base_url="http://127.0.0.1:7860") as client, pytest.raises(AssertionError, match="success"):
        Visitor(client).event(LOOK, [file(people.query.path[0]), "", False])
    assert uploaded() == []


def test_nothing_else_is_served(client):
    for path in ("/gradio_api/file=/etc/passwd", "/file=/etc/passwd", "/docs", "/openapi.json", "/gradio_api/info"):
        assert client.get(path).status_code == 404
    assert client.get("/", headers={"host": "evil.example"}).status_code == 403
    start = client.get("/")
    assert start.status_code == 200 and "connect-src 'self'" in start.headers["content-security-policy"]
    settings = client.get("/config").json()
    assert settings["footer_links"] == [] and settings["analytics_enabled"] is False
    assert {event["api_visibility"] for event in settings["dependencies"]} == {"private"}


def test_a_password_is_asked_for_under_any_name(desk, crop):
    with (
        opened(desk, auth=("me", "secret")) as app,
        TestClient(app, base_url="http://a.example") as it,
    ):
        assert it.get("/config").status_code == 401
        assert it.post("/gradio_api/upload", files={"files": ("crop.png", crop)}).status_code == 401
        assert Visitor(it).join(KEEP, []).status_code == 401
        assert it.post("/login", data={"username": "me", "password": "wrong"}).status_code == 400
        assert it.post("/login", data={"username": "me", "password": "secret"}).status_code == 200
        assert "<article" in Visitor(it).drop(crop)["matches"]


def test_the_folder_of_uploads_goes_with_the_page(desk):
    before = os.environ.get("GRADIO_TEMP_DIR")
    with opened(desk):
        folder = Path(os.environ["GRADIO_TEMP_DIR"])
        assert folder.is_dir() and folder.parent == Path(tempfile.gettempdir())
    assert not folder.exists() and os.environ.get("GRADIO_TEMP_DIR") == before
    with pytest.raises(ValueError, match="`max_upload_mb` must be positive"):
        page(desk.gallery, desk.model, max_upload_mb=0).__enter__()
