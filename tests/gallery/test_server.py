"""By a URI: the code of a cluster, against Milvus Lite's own server (a Milvus cluster is not at hand in tests)."""

from types import SimpleNamespace

import numpy as np
import pytest

from keras_reid.gallery import Gallery, field
from keras_reid.gallery.connection import Connection, imported
from tests.gallery.conftest import HOSTILE, MADE_BY, units
from tests.gallery.test_two_stages import Matcher, maps


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    start = imported("milvus_lite.adapter.grpc.server").start_server_in_thread
    server, database, port = start(str(tmp_path_factory.mktemp("server") / "data"))
    yield f"http://127.0.0.1:{port}"
    server.stop(grace=1)
    database.close()


def test_the_same_code_works_by_a_uri(uri, tmp_path):
    embeddings = units(40)
    sites = [HOSTILE[number % len(HOSTILE)] for number in range(40)]
    with Gallery(uri, MADE_BY, fields={"site": str}) as gallery, Gallery(uri, MADE_BY) as another:
        gallery.enrol(features=embeddings, keys=sorted(map(str, range(40))), cameras=np.arange(40) % 4)
        gallery.enrol(features=embeddings, keys=sorted(map(str, range(40))), fields={"site": sites}, cameras=1)
        assert gallery.stats()["index"] == "hnsw"
        assert len(another) == 40 == another.export(tmp_path / "all.npz")
        where = field("site") == HOSTILE[5]
        rows = [number for number, site in enumerate(sites) if site == HOSTILE[5]]
        (found,) = another.search(features=embeddings[:1], where=where, top_k=40)
        assert sorted(match.key for match in found) == sorted(sorted(map(str, range(40)))[row] for row in rows)
        assert gallery.delete(where=where) == len(rows)
        gallery.compact()
        gallery.flush()
        assert another.count() == 40 - len(rows)
        assert another.shortlist_recall(features=embeddings[:4], shortlist=20).best_top == 1.0
        another.close()
        assert len(gallery) == 40 - len(rows)


def test_a_pairwise_method_by_a_uri_names_its_folder(uri, tmp_path):
    with pytest.raises(ValueError, match="Give it as `features=`"):
        Gallery(uri, Matcher(), name="pairs")
    with Gallery(uri, Matcher(), name="pairs", features=tmp_path / "maps") as gallery:
        gallery.enrol(features=maps(5), keys=list("abcde"))
        assert gallery.search(features=maps(5)[2:3])[0][0].key == "c"


def test_a_collection_that_is_no_gallery_is_left_alone(uri):
    from pymilvus import MilvusClient

    client = MilvusClient(uri)
    client.create_collection("theirs", dimension=4)
    client.close()
    with pytest.raises(ValueError, match="a collection 'theirs' that is no gallery of this library"):
        Gallery(uri, MADE_BY, name="theirs")


def test_a_server_that_stops_is_a_sentence(tmp_path):
    start = imported("milvus_lite.adapter.grpc.server").start_server_in_thread
    server, database, port = start(str(tmp_path / "data"))
    address = f"http://127.0.0.1:{port}"
    gallery = Gallery(address, MADE_BY)
    with pytest.raises(ConnectionError, match=f"Milvus at {address} failed in `describe_collection`: .*does not exist"):
        gallery._store.client.describe_collection("nobody's")
    server.stop(grace=None).wait()
    database.close()
    with pytest.raises(ConnectionError, match=f"Milvus at {address} failed in `query`: "):
        gallery.count()
    gallery._connection.client.close()


def test_what_is_no_method_is_passed_on_as_it_is():
    part = Connection.in_words(SimpleNamespace(uri="there"), SimpleNamespace(timeout=3, name=str.upper))
    assert part.timeout == 3
    assert part.name("a") == "A"


def test_a_server_that_does_not_answer_is_a_sentence():
    with pytest.raises(ConnectionError, match="Milvus at http://127.0.0.1:9 does not answer"):
        Gallery("http://127.0.0.1:9", MADE_BY)
