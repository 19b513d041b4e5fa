"""Methods that compare pairs: a shortlist by embeddings, exact scores of it, and what knows all queries at once."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from keras_reid.gallery import Fingerprint, Gallery, field
from keras_reid.retrieval import Rerank, TemporalLift, rerank

SHAPE = (3, 2, 8)


class Matcher:
    """A pairwise model in numpy: how alike the best locations are."""

    name, image_size, interpolation = "matcher", (64, 32), "bilinear"

    def fingerprint(self):
        return Fingerprint("Matcher", 8, "v1", feature_shape=SHAPE)

    def embed(self, maps):
        mean = np.asarray(maps, "float32").mean(axis=(1, 2))
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    def score(self, query, gallery):
        query, gallery = (x.reshape(len(x), -1, x.shape[-1]) for x in (query, gallery))
        best = np.einsum("qlc,gmc->qglm", query, gallery).max(axis=(2, 3))
        return best / 40  # no two pairs alike


def maps(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, *SHAPE)).astype(np.float16).astype(np.float32)


@pytest.fixture
def pairs(tmp_path):
    with Gallery(tmp_path / "people.db", Matcher()) as gallery:
        gallery.enrol(features=maps(60), keys=[f"k{number:02d}" for number in range(60)], cameras=np.arange(60) % 4)
        yield gallery


def test_the_shortlist_is_scored_exactly(pairs):
    queries, model = maps(4, 1), Matcher()
    cosines = model.embed(queries) @ model.embed(maps(60)).T
    exact = model.score(queries, maps(60))
    for found, close, score in zip(pairs.search(features=queries, shortlist=20, top_k=5), cosines, exact, strict=True):
        listed = np.argsort(-close)[:20]
        best = listed[np.argsort(-score[listed])][:5]
        assert [match.key for match in found] == [f"k{number:02d}" for number in best]
        np.testing.assert_allclose([match.score for match in found], score[best], rtol=1e-5)
        np.testing.assert_allclose([match.cosine for match in found], close[best], atol=1e-5)


def test_recall_is_that_of_brute_force(pairs):
    queries, model = maps(6, 1), Matcher()
    listed = np.argsort(-(model.embed(queries) @ model.embed(maps(60)).T), axis=1)[:, :20]
    best = np.argsort(-model.score(queries, maps(60)), axis=1)[:, :10]
    held = [np.isin(row, others) for row, others in zip(best, listed, strict=True)]
    recall = pairs.shortlist_recall(features=queries, shortlist=20)
    assert recall.best == round(float(np.mean([row[0] for row in held])), 4)
    assert recall.best_top == round(float(np.mean(held)), 4) < 1.0
    assert str(recall).startswith("A shortlist of 20 of 60 entries holds the exact best of")
    assert pairs.shortlist_recall(features=queries, shortlist=60).best_top == 1.0


def test_what_is_replaced_deleted_or_compacted_keeps_its_features_right(pairs, tmp_path):
    old, new = maps(60), maps(10, 2)
    (file,) = (tmp_path / "people.features").iterdir()
    pairs.enrol(features=new, keys=[f"k{number:02d}" for number in range(10)])
    pairs.delete(["k20", "k21"])
    for row in (0, 20, 21):
        assert old[row].astype(np.float16).tobytes() not in file.read_bytes()
    before = pairs.search(features=new, top_k=3)
    assert [found[0].key for found in before] == [f"k{number:02d}" for number in range(10)]
    pairs.compact()
    assert [[match.key for match in found] for found in pairs.search(features=new, top_k=3)] == [
        [match.key for match in found] for found in before
    ]
    (compacted,) = (tmp_path / "people.features").iterdir()
    assert compacted != file
    assert pairs.stats()["feature_rows"] == len(pairs) == 58


def test_nothing_is_changed_under_a_search_and_its_second_stage(pairs):
    changed = []

    def step(ranking):
        with ThreadPoolExecutor(1) as threads:  # another thread would delete, and compact
            changed.append(threads.submit(pairs._store.lock.acquire, blocking=False).result())
        return ranking

    pairs.search(features=maps(2), post_process=[step])
    assert changed == [False]


def test_what_another_program_erases_under_a_search_is_left_out(pairs):
    class Erasing(Matcher):
        def score(self, query, gallery):
            file.erase([row], ["k05"])
            return super().score(query, gallery)

    row, file = pairs._open.get(["k05"], ["feature_row"])["k05"]["feature_row"], pairs._store.features
    pairs._model = Erasing()  # as a writer on a cluster would, between the first look at the features and the second
    found = pairs.search(features=maps(60)[5:6], top_k=60, post_process=[lambda ranking: ranking])
    assert "k05" not in {match.key for match in found[0]}
    assert len(found[0]) == 59
    pairs._model = Matcher()


def test_an_entry_whose_deletion_was_cut_short_is_not_found_and_goes_when_compacted(pairs):
    row = pairs._open.get(["k05"], ["feature_row"])["k05"]["feature_row"]
    pairs._store.features.erase([row], ["k05"])  # the entry itself is left
    assert pairs.search(features=maps(60)[5:6], top_k=60)[0][0].key != "k05"
    pairs.compact()
    assert pairs.count(field("key") == "k05") == 0


def test_damaged_features_stop_a_compaction_and_nothing_is_changed(pairs):
    file = pairs._store.features
    row = pairs._open.get(["k05"], ["feature_row"])["k05"]["feature_row"]
    with file.path.open("r+b") as stream:
        stream.seek(4096 + (row + 1) * file._record.itemsize - 2)
        stream.write(b"\x99")
    with pytest.raises(ValueError, match="The features of 1 entries are damaged, the first is 'k05'"):
        pairs.compact()
    pairs.delete("k05")
    pairs.compact()
    assert len(pairs) == 59


def test_the_features_of_a_tracklet_are_those_nearest_to_its_mean(pairs):
    base = maps(1, 3)
    frames = np.concatenate([base, base + 0.05, maps(1, 4)])
    pairs.enrol(features=frames, cameras=9, tracklets=1)
    model = Matcher()
    mean = model.embed(frames).mean(axis=0)
    nearest = int(np.argmax(model.embed(frames) @ mean))
    match = pairs.search(features=frames[nearest : nearest + 1], where=field("camera") == 9)[0][0]
    assert match.images == 3
    assert match.score == pytest.approx(float(model.score(frames[nearest][None], frames[nearest][None])[0, 0]), 1e-3)


def test_reranking_the_whole_gallery_as_a_shortlist_is_reranking(pairs):
    queries, model = maps(5, 1), Matcher()
    expected = rerank(queries, maps(60), k1=6, k2=3, score=model.score)
    found = pairs.search(features=queries, shortlist=60, top_k=60, post_process=[Rerank(k1=6, k2=3)])
    for matches, row in zip(found, expected, strict=True):
        scores = {match.key: match.score for match in matches}
        np.testing.assert_allclose([scores[f"k{number:02d}"] for number in range(60)], row, atol=1e-4)


def test_matches_stay_within_a_querys_own_shortlist(pairs):
    found = pairs.search(
        features=maps(4, 1), cameras=[0, 1, 2, 3], other_cameras=True, post_process=[Rerank(k1=6, k2=3)]
    )
    assert all(match.camera != camera for camera, matches in enumerate(found) for match in matches)


def test_temporal_lifting_needs_times_and_uses_them(tmp_path):
    with Gallery(tmp_path / "people.db", Fingerprint("net", 4, "v1")) as gallery:
        embeddings = np.array([[1, 0.1, 0, 0], [1, 0.11, 0, 0], [0, 0, 1, 0]])
        gallery.enrol(features=embeddings, keys=["near", "far", "other"], cameras=1, times=[100.0, 9e5, 120.0])
        plain = gallery.search(features=embeddings[1:2])[0]
        assert plain[0].key == "far"
        queries = {"features": np.array([[1, 0.106, 0, 0], [0, 0, 1, 0]]), "cameras": 0, "times": [90.0, 95.0]}
        steps = [lambda ranking: ranking.with_scores((1 + ranking.scores) / 2), TemporalLift(k=1)]
        lifted = gallery.search(**queries, post_process=steps)[0]
        assert lifted[0].key == "near"  # the companion was seen there at that time
        with pytest.raises(ValueError, match="needs the capture time of every image"):
            gallery.search(features=queries["features"], cameras=0, post_process=steps)


def test_a_gallery_of_another_kind_is_refused(pairs, tmp_path):
    with pytest.raises(ValueError, match=r"of the shape \[N, 3, 2, 8\]"):
        pairs.enrol(features=np.ones((2, 8)))
    pairs.close()
    with pytest.raises(ValueError, match="another model.*method Matcher and not Other"):
        Gallery(tmp_path / "people.db", Fingerprint("Other", 8, "v1"))
    with Gallery(tmp_path / "people.db") as gallery:  # features are forgotten without a model, too
        assert gallery.delete(where=field("camera") == 1) == 15
