"""A gallery of random embeddings with every kind of field, some of it unknown, and hostile text among it."""

import importlib.util
from dataclasses import dataclass

import numpy as np
import pytest

from keras_reid.gallery import Fingerprint, Gallery

# Looked for and not imported: an import while pytest collects would keep the streams that pytest captures then.
if any(importlib.util.find_spec(name) is None for name in ("pymilvus", "milvus_lite")):
    collect_ignore_glob = ["test_*.py"]

DIMENSION = 16
MADE_BY = Fingerprint("something", DIMENSION, "v1")
FIELDS = {"site": str, "floor": int, "height": float, "staff": bool}
HOSTILE = (
    'a"b',
    "a'b",
    "back\\slash",
    '\\"',
    "' or 1 == 1",
    '" or key != "',
    '"] or true or site in ["',
    "new\nline",
    "carriage\r\n",
    "tab\t",
    "é漢😀\u202e",
    "{site}",
    "%like%",
    "$meta",
    "",
    " ",
    "<script>alert(1)</script>",
    "\x01\x1b[31m",
)


@dataclass
class Filled:
    gallery: Gallery
    embeddings: np.ndarray
    keys: list
    camera: list
    time: list
    fields: dict

    def value(self, name, row):
        return {"camera": self.camera, "time": self.time, "key": self.keys, **self.fields}[name][row]


def units(count, seed=0):
    found = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype("float32")
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    count = 300
    rng = np.random.default_rng(1)

    def some(values, unknown):
        return [None if number % unknown == 0 else value for number, value in enumerate(values)]

    filled = Filled(
        Gallery(tmp_path_factory.mktemp("gallery") / "people.db", MADE_BY, fields=FIELDS),
        units(count),
        [f"{number} {HOSTILE[number % len(HOSTILE)]}" for number in range(count)],
        some(rng.integers(0, 6, count).tolist(), 7),
        some(rng.uniform(-50, 1000, count).tolist(), 11),
        {
            "site": some([HOSTILE[number % len(HOSTILE)] for number in range(count)], 13),
            "floor": some(rng.integers(-3, 3, count).tolist(), 5),
            "height": some(rng.normal(size=count).tolist(), 17),
            "staff": some((rng.random(count) < 0.5).tolist(), 3),
        },
    )
    filled.gallery.enrol(
        features=filled.embeddings, keys=filled.keys, cameras=filled.camera, times=filled.time, fields=filled.fields
    )
    yield filled
    filled.gallery.close()


@pytest.fixture
def gallery(tmp_path):
    with Gallery(tmp_path / "people.db", MADE_BY, fields={"site": str}) as made:
        yield made
