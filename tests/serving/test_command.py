"""`keras-reid serve` as a stranger types it."""

import builtins
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from keras_reid import cli
from keras_reid.gallery import Fingerprint, Gallery
from keras_reid.serving import page, serve


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "people.db"
    with Gallery(path, Fingerprint("net", 2, "v1")) as gallery:
        gallery.enrol(features=np.eye(2))
    return str(path)


def refused(capsys, *arguments):
    assert cli.main(["serve", *arguments]) == 2
    return capsys.readouterr().err


def test_what_cannot_be_is_a_sentence(path, tmp_path, capsys, monkeypatch):
    gone = str(tmp_path / "gone.db")
    assert f"There is no gallery {gone}. Make it first: keras-reid gallery enrol." in refused(
        capsys, gone, "--model", "m"
    )
    assert not Path(gone).exists()
    assert "gallery 'others'. Make it first" in refused(capsys, path, "--model", "m", "--name", "others")
    assert "There is no model gone.keras" in refused(capsys, path, "--model", "gone.keras")
    with Gallery(path):
        assert "is open already" in refused(capsys, path, "--model", "gone.keras")
    with pytest.raises(SystemExit):
        cli.main(["serve", path])
    monkeypatch.setenv("KERAS_REID_SERVE_AUTH", "secret")
    error = refused(capsys, path, "--model", "m")
    assert "KERAS_REID_SERVE_AUTH must be user:password" in error and "secret" not in error


def test_another_model_is_refused(path, model, tmp_path, capsys):
    model.save(tmp_path / "model.keras")
    assert "embeddings of another model" in refused(capsys, path, "--model", str(tmp_path / "model.keras"))


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.0.2.1", "example.org"])
def test_other_computers_need_a_password(host, path, capsys):
    error = refused(capsys, path, "--model", "m", "--host", host)
    assert f"needs a password. Received: the host {host!r} and none." in error and "KERAS_REID_SERVE_AUTH" in error


def test_a_port_is_free_or_it_is_said():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=f"Port {port} is in use. Stop what uses it, or give another port."):
            serve(None, None, port=port)
    with pytest.raises(ValueError, match="`port` must be a number from 0 to 65535. Received: 70000."):
        serve(None, None, port=70_000)
    with pytest.raises(OSError, match="Cannot listen on 192.0.2.1, port 0"):
        serve(None, None, host="192.0.2.1", port=0, auth=("me", "secret"))


def test_without_gradio_one_is_told_what_to_install(monkeypatch):
    found = builtins.__import__

    def missing(name, *rest, **more):
        if name == "gradio":
            raise ImportError("No module named 'gradio'", name="gradio")
        return found(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match=re.escape("pip install 'keras-reid[serve]'")):
        page(None, None).__enter__()


@pytest.mark.slow
def test_a_server_from_start_to_stop(model, people, tmp_path):
    pytest.importorskip("gradio")
    path = tmp_path / "people.db"
    model.save(tmp_path / "model.keras")
    with Gallery(path, model) as gallery:
        gallery.enrol(people.gallery)
    (tmp_path / "temporary").mkdir()
    command = [sys.executable, "-m", "keras_reid.cli", "serve", str(path), "--model", str(tmp_path / "model.keras")]
    with subprocess.Popen(
        [*command, "--port", "0"],
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary"), "PYTHONPATH": str(Path(cli.__file__).parents[2])},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path,
    ) as server:  # fmt: skip
        said = next(line for line in server.stdout if "(Ctrl-C stops)" in line)
        address = re.search(r"http://127\.0\.0\.1:\d+", said)[0]
        for _ in range(100):
            try:
                with urllib.request.urlopen(address) as answer:
                    assert answer.status == 200 and b"gradio" in answer.read()
                break
            except ConnectionError:
                time.sleep(0.1)
        assert list((tmp_path / "temporary").glob("keras_reid_serve_*"))
        with urllib.request.urlopen(f"{address}/gradio_api/heartbeat/abc"):  # what a page holds while it is open
            server.send_signal(signal.SIGTERM)
            rest = server.stdout.read()
        assert rest.endswith("Stopped.\n") and "Traceback" not in rest and server.wait() == 0
    assert not list((tmp_path / "temporary").glob("keras_reid_serve_*"))
    with Gallery(path) as gallery:
        assert len(gallery) > 0
    assert tempfile.gettempdir() != str(tmp_path / "temporary")
