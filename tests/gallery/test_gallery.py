"""What a gallery promises: one model's embeddings, no entry twice, nothing kept of what was deleted."""

import csv
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from keras_reid.gallery import Fingerprint, Gallery, field
from tests.gallery.conftest import DIMENSION, MADE_BY, units


def keys_of(gallery):
    return sorted(row["key"] for page in gallery._open.pages("", []) for row in page)


def bytes_on_disk(folder):
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_update_changes_what_is_known_and_keeps_the_embedding(gallery):
    embeddings = units(3)
    gallery.enrol(features=embeddings, keys=["a", "b", "c"], cameras=1, fields={"site": "north"})
    assert gallery.update(["a", "b"], camera=5, site=None) == 2
    match = gallery.search(features=embeddings[:1], top_k=1)[0][0]
    assert (match.key, match.camera, match.fields) == ("a", 5, {"site": None})
    with pytest.raises(ValueError, match="1 keys are not in the gallery, the first is 'd'"):
        gallery.update(["a", "d"], camera=5)
    with pytest.raises(ValueError, match="Unknown field to change 'key'"):
        gallery.update("a", key="b")


def test_what_is_deleted_is_found_no_more_and_leaves_the_disk(gallery, tmp_path):
    secret = "somebody who wants to be forgotten"
    keys = ["a'] or key not in ['", "b", "c"]
    gallery.enrol(features=units(3), keys=keys, persons=[1, 2, 2], fields={"site": [secret, "north", "north"]})
    gallery.flush()
    assert secret.encode() in bytes_on_disk(tmp_path)
    assert gallery.delete(keys[0]) == 1
    assert gallery.delete(["nobody"]) == 0
    assert keys_of(gallery) == ["b", "c"]
    assert all(match.key != keys[0] for match in gallery.search(features=units(3))[0])
    gallery.compact()
    assert secret.encode() not in bytes_on_disk(tmp_path)
    assert gallery.delete(where=field("person") == 2) == 2
    assert len(gallery) == 0


def test_delete_takes_one_of_two(gallery):
    for arguments in ({}, {"keys": ["a"], "where": field("camera") == 1}):
        with pytest.raises(ValueError, match="keys or a condition `where`, one of the two"):
            gallery.delete(**arguments)


def test_compacting_keeps_every_entry(gallery):
    embeddings = units(30)
    gallery.enrol(features=embeddings, cameras=1, fields={"site": "north"})
    before = gallery.search(features=embeddings[:5], top_k=30)
    gallery.compact()
    for found, was in zip(gallery.search(features=embeddings[:5], top_k=30), before, strict=True):
        assert [(match.key, match.camera, match.fields) for match in found] == [
            (match.key, match.camera, match.fields) for match in was
        ]
        np.testing.assert_allclose([match.score for match in found], [match.score for match in was], atol=1e-6)
    gallery.enrol(features=embeddings, cameras=1, fields={"site": "north"})
    assert len(gallery) == 30


def test_another_model_is_refused(tmp_path):
    path = tmp_path / "people.db"
    with Gallery(path, Fingerprint("net", DIMENSION, "v1", {"depth": 50})) as gallery:
        gallery.enrol(features=units(2))
    for other, difference in (
        (Fingerprint("net", DIMENSION, "v2", {"depth": 50}), "weights v1 and not v2"),
        (Fingerprint("net", DIMENSION, "v1", {"depth": 18}), "depth=50 and not 18"),
        (Fingerprint("web", 8, "v1", {"width": 2}), r"method net and not web, dimension 16 and not 8\."),
    ):
        with pytest.raises(ValueError, match=f"holds the embeddings of another model.*{difference}.*Open it with"):
            Gallery(path, other)
    with Gallery(path, Fingerprint("net", DIMENSION, "v1", {"depth": 50})) as gallery:
        assert len(gallery) == 2


def test_without_a_model_one_counts_changes_exports_and_deletes(tmp_path):
    path = tmp_path / "people.db"
    with pytest.raises(ValueError, match="There is no gallery .*people.db. Give `model=`"):
        Gallery(path)
    assert not path.exists()
    with Gallery(path, MADE_BY) as gallery:
        gallery.enrol(features=units(3), keys=["a", "b", "c"])
    with Gallery(path) as gallery:
        assert gallery.made_by == MADE_BY
        assert (gallery.delete("a"), gallery.update("b", camera=3), gallery.count(field("camera") == 3)) == (1, 1, 1)
        with pytest.raises(ValueError, match="opened without a model"):
            gallery.search(features=units(1))


def test_a_folder_is_open_once(gallery):
    with pytest.raises(ValueError, match="is open already, in this program or in another one"):
        Gallery(gallery._store.connection.uri, MADE_BY)
    gallery.enrol(features=units(1))  # the first one goes on


def test_a_closed_gallery_says_so(tmp_path):
    gallery = Gallery(tmp_path / "people.db", MADE_BY)
    gallery.close()
    gallery.close()
    assert "closed" in repr(gallery)
    with pytest.raises(ValueError, match="The gallery is closed"):
        gallery.count()


def test_threads_may_share_a_gallery(gallery):
    embeddings = units(200)

    def enrol(part):
        gallery.enrol(features=embeddings[part::4], keys=[f"{part} {row}" for row in range(50)], batch_size=10)

    def search(_):
        return all(len(found) <= 5 for found in gallery.search(features=embeddings[:3], top_k=5))

    with ThreadPoolExecutor(6) as threads:
        enrolled = [threads.submit(enrol, part) for part in range(4)]
        searched = [threads.submit(search, number) for number in range(4)]
        compacted = threads.submit(gallery.compact)
        assert all(done.result() for done in searched)
        for done in (*enrolled, compacted):
            done.result()
    assert len(gallery) == len(keys_of(gallery)) == 200


def test_several_galleries_at_one_uri_do_not_touch_one_another(tmp_path):
    path = tmp_path / "people.db"
    for name in ("north", "north_gate"):
        with Gallery(path, MADE_BY, name=name) as gallery:
            gallery.enrol(features=units(2))
            gallery.compact()
    with Gallery(path, name="north") as gallery:
        assert len(gallery) == 2


def test_export_is_read_back(gallery, tmp_path):
    embeddings = units(3)
    site = 'a "b", c\nd'
    gallery.enrol(features=embeddings, keys=["a", "b", "c"], cameras=[1, None, 2], fields={"site": [site, None, "é"]})
    assert gallery.export(tmp_path / "out.npz") == 3
    with np.load(tmp_path / "out.npz") as found:  # without pickle
        order = np.argsort(found["key"])
        np.testing.assert_allclose(found["embedding"][order], embeddings, atol=1e-6)
        assert found["camera_known"][order].tolist() == [True, False, True]
        assert found["site"][order].tolist() == [site, "", "é"]
    assert gallery.export(tmp_path / "out.csv", where=field("camera") == 1) == 1
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["key"], row["camera"], row["site"]) == ("a", "1", site)
    with pytest.raises(ValueError, match="to a .npz or .csv file. Received: .*out.txt"):
        gallery.export(tmp_path / "out.txt")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"uri": "people"}, "must end in .db, or be the http:// address"),
        ({"uri": "ftp://somewhere"}, "must be a path that ends in .db, or the http"),
        ({"uri": "no/such/folder/people.db"}, "There is no folder .*no/such/folder"),
        ({"name": "a__b"}, "single underscores"),
        ({"name": "../people"}, "single underscores"),
        ({"index": "fast"}, "Unknown index 'fast'"),
        ({"index": "diskann"}, "for a Milvus cluster"),
        ({"fields": {"a b": str}}, "is named by a letter and then"),
        ({"fields": {"camera": int}}, "is named by a letter and then"),
        ({"fields": {"site": list}}, "Unknown type of a field 'list'"),
        ({"model": Fingerprint("pairs", 4, "v1", feature_shape=(2, 2))}, "takes the model itself"),
    ],
)
def test_what_cannot_be_opened_is_said(tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=sentence):
        Gallery(**{"uri": "people.db", "model": MADE_BY, **arguments})


def test_fields_and_index_are_of_the_gallery(tmp_path):
    path = tmp_path / "people.db"
    with Gallery(path, MADE_BY, fields={"site": "str"}, index="hnsw") as gallery:
        gallery.enrol(features=units(50), fields={"site": "north"})
        gallery.flush()
        assert gallery.shortlist_recall(features=units(5), shortlist=20).best == 1.0
        assert gallery.stats()["index"] == "hnsw"
    with pytest.raises(ValueError, match="was made with `fields` {'site': 'str'}. Received: {'site': 'int'}"):
        Gallery(path, MADE_BY, fields={"site": int})
    with pytest.raises(ValueError, match="was made with `index` 'hnsw'. Received: 'exact'"):
        Gallery(path, MADE_BY, index="exact")
    with Gallery(path, MADE_BY) as gallery:
        assert gallery.fields == {"site": str}


def test_a_graph_finds_what_is_nearest_also_under_a_condition(tmp_path):
    embeddings, marked = units(4000), np.arange(4000) % 100 == 0
    with Gallery(tmp_path / "people.db", MADE_BY, index="hnsw") as gallery:
        keys = list(map(str, range(4000)))
        gallery.enrol(features=embeddings, keys=keys, cameras=marked.astype(int), batch_size=4000)
        gallery.flush()  # the graph is made after that, and closing waits for it
    with Gallery(tmp_path / "people.db", MADE_BY) as gallery:
        found = gallery.search(features=units(20, 1), top_k=20, where=field("camera") == 1)
        nearest = np.argsort(-(units(20, 1) @ embeddings[marked].T), axis=1)[:, :20]
        assert [[int(match.key) for match in row] for row in found] == np.flatnonzero(marked)[nearest].tolist()
        assert gallery.search(features=units(1), where=field("camera") == 7) == [[]]


def test_without_milvus_the_sentence_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "milvus_lite", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-reid\[gallery\]'"):
        Gallery(tmp_path / "people.db", MADE_BY)


def test_what_the_program_logs_goes_on_as_it_was(tmp_path):
    """pymilvus closes every logging handler when it is imported; ours to prevent, for a new process imports it."""
    program = f"""
import logging, sys
closed = []
class Handler(logging.NullHandler):
    def close(self):
        closed.append(self)
logging.getLogger().addHandler(Handler())
from keras_reid.gallery import Fingerprint, Gallery
with Gallery({str(tmp_path / "people.db")!r}, Fingerprint("net", 2, "v1")):
    assert "pymilvus" in sys.modules
    assert not closed
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
