import pickle

import numpy as np
import pytest

from keras_reid import retrieval
from keras_reid.datasets import RefusedDataset, ReIDDataset, ReIDTable
from keras_reid.datasets.dataset import has_match, require_matches


def table(prefix: str, persons: list[int], cameras: list[int] | None = None) -> ReIDTable:
    paths = [f"/{prefix}/{row}.jpg" for row in range(len(persons))]
    return ReIDTable.from_columns(paths, persons, cameras)


def test_summary_counts_each_split_and_shows_notes():
    dataset = ReIDDataset(
        "mine",
        table("t", [1, 1, 2]),
        table("q", []),
        table("g", [0, 3], [4, 4]),
        notes=("one", "two"),
    )
    assert dataset.summary().splitlines() == [
        "mine (protocol market1501)",
        "split    persons  images  cameras",
        "train          2       3  unknown",
        "query          0       0        0",
        "gallery        2       2        1",
        "note: one",
        "note: two",
    ]


@pytest.mark.parametrize("split", ["query", "gallery"])
def test_an_identity_in_train_and_test_is_named(split):
    splits = {"query": table("q", [30]), "gallery": table("g", [30, 0])}
    splits[split] = table(split, [30, 8, 3])
    with pytest.raises(ValueError, match=r"2 identities of 'mine' .*: 3, 8\. Train and test must"):
        ReIDDataset("mine", table("t", [3, 8, 9]), **splits)


def test_many_shared_identities_are_shortened():
    everyone = list(range(1, 9))
    with pytest.raises(ValueError, match=r"8 identities .* 1, 2, 3, 4, 5, \.\.\."):
        ReIDDataset("mine", table("t", everyone), table("q", everyone), table("g", everyone))


def test_distractors_and_unknown_queries_are_no_overlap():
    ReIDDataset("mine", table("t", [1]), table("q", [2, 3]), table("g", [0, 2]))


def test_without_cameras_a_query_image_may_not_be_in_the_gallery():
    train, query = table("t", [1]), table("q", [2])
    ReIDDataset("mine", train, query, query)  # harmless where the camera rule removes it
    with pytest.raises(ValueError, match=r"1 images .* /q/0.jpg\. Without cameras each would find"):
        ReIDDataset("mine", train, query, query, protocol="no_camera")


def test_a_split_must_be_a_table():
    with pytest.raises(TypeError, match=r"`query` must be a ReIDTable\. Received: list"):
        ReIDDataset("mine", table("t", [1]), [], table("g", [2]))  # type: ignore[arg-type]


def test_has_match_equals_the_plain_loop():
    random = np.random.default_rng(0)
    for _ in range(20):
        query = table("q", random.integers(0, 6, 15).tolist(), random.integers(0, 2, 15).tolist())
        gallery = table("g", random.integers(0, 6, 9).tolist(), random.integers(0, 2, 9).tolist())
        for cross_camera in (True, False):
            expected = [
                any(
                    gallery.person_id[g] == query.person_id[q]
                    and not (cross_camera and gallery.camera_id[g] == query.camera_id[q])
                    for g in range(9)
                )
                for q in range(15)
            ]
            assert has_match(query, gallery, cross_camera).tolist() == expected


@pytest.mark.parametrize("protocol", ["market1501", "no_camera", "sysu_mm01"])
def test_findable_queries_are_those_that_the_evaluation_judges(protocol):
    random = np.random.default_rng(1)
    lost = 0
    for _ in range(20):
        query = table("q", random.integers(0, 6, 15).tolist(), random.integers(0, 4, 15).tolist())
        gallery = table("g", random.integers(0, 6, 9).tolist(), random.integers(0, 4, 9).tolist())
        labels = (query.person_id, gallery.person_id, query.camera_id, gallery.camera_id)
        metrics = retrieval.evaluate_scores(random.random((15, 9)), *labels, protocol=protocol)
        findable = ReIDDataset("mine", table("t", []), query, gallery, protocol).findable
        assert findable.tolist() == (~np.isnan(metrics.average_precision)).tolist()
        lost += metrics.invalid.get("matches_ignored", 0)
    assert (lost > 0) == (protocol != "no_camera")


def test_a_data_set_whose_matches_are_all_at_the_same_place_is_refused():
    dataset = ReIDDataset("mine", table("t", []), table("q", [1, 2], [2, 2]), table("g", [1, 2], [1, 1]), "sysu_mm01")
    with pytest.raises(
        ValueError, match=r"None of the 2 query .* protocol 'sysu_mm01' counts: .* same place\. Add one"
    ):
        require_matches(dataset, "Add one.")


def test_a_refused_data_set_can_still_be_looked_at():
    shared = ReIDTable.from_columns(["/a.jpg"], [1], [0])
    with pytest.raises(RefusedDataset, match=r"^1 identities of 'mine' are in the training split") as refused:
        ReIDDataset("mine", train=shared, query=shared, gallery=shared)
    assert refused.value.dataset.train is shared
    again = pickle.loads(pickle.dumps(refused.value))
    assert str(again) == str(refused.value) and len(again.dataset.query) == 1
    nothing = ReIDTable.from_columns([], [])
    with pytest.raises(RefusedDataset) as refused:
        require_matches(ReIDDataset("mine", nothing, shared, shared), "Add a camera.")
    assert refused.value.dataset.name == "mine"
