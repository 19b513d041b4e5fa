"""A desk over a gallery of coloured people, with text in its fields that would like to be a script."""

import importlib.util
import struct
import zlib

import pytest

# Looked for and not imported: an import while pytest collects would keep the streams that pytest captures then.
collect_ignore = []
if any(importlib.util.find_spec(name) is None for name in ("pymilvus", "milvus_lite")):
    collect_ignore += ["test_command.py", "test_desk.py", "test_page.py"]
if any(importlib.util.find_spec(name) is None for name in ("gradio", "fastapi", "httpx")):
    collect_ignore += ["test_page.py"]

HOSTILE = "<script>alert(1)</script> ${1+1} {{value}} `x` \u202e"


def announced_png(width: int, height: int) -> bytes:
    """A PNG whose header announces a size that its few bytes do not have."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def model():
    import keras_reid

    return keras_reid.zoo.load("qaconv_tiny", image_size=(64, 32))


@pytest.fixture(scope="module")
def desk(model, people, tmp_path_factory):
    """Persons 4 to 7, seven images each under cameras 0 and 1; and one entry whose person nobody recorded."""
    from keras_reid.gallery import Gallery
    from keras_reid.serving.desk import Desk

    path = tmp_path_factory.mktemp("serving") / "people.db"
    with Gallery(path, model, fields={"note": str}) as gallery:
        table = people.gallery
        gallery.enrol(table, pool=False, fields={"note": HOSTILE})
        gallery.enrol([people.query.path[0]], keys=["<b>nobody</b>"], paths=["moved/away.png"])
        yield Desk(gallery, model, top=50)
